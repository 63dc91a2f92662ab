/**
 * Completion scripts for shells: the words that may follow each verb, from commander's definitions.
 * @module
 */
import type { Command } from "commander";

/** What may follow one path of verbs, such as `log` or `measure snp`. */
export interface Words {
  /** The verbs typed so far, joined by spaces; empty for the program itself. */
  readonly path: string;
  readonly verbs: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly {
    readonly flag: string;
    readonly takesValue: boolean;
    readonly summary: string;
  }[];
}

/** Lists the words of a program and of all its verbs, parents first. */
export function wordsOf(program: Command, path: readonly string[] = []): Words[] {
  const verbs = program.commands.map((verb) => ({
    name: verb.name(),
    summary: verb.summary() || verb.description(),
  }));
  // Names of options that other tools gave them are taken and not offered.
  const shown = program.options.filter(({ hidden }) => !hidden);
  const flags = shown.map((option) => ({
    flag: option.long ?? option.short ?? "",
    takesValue: option.required || option.optional,
    summary: option.description,
  }));
  const here = { path: path.join(" "), verbs, flags };
  return [here, ...program.commands.flatMap((verb) => wordsOf(verb, [...path, verb.name()]))];
}

/** The script of each shell. */
export const COMPLETIONS: Readonly<Record<string, (words: readonly Words[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

function bashScript(words: readonly Words[]): string {
  const cases = words.map(({ path, verbs, flags }) => {
    const all = [...verbs.map(({ name }) => name), ...flags.map(({ flag }) => flag), "--help"];
    return `    ${shellQuote(path)}) words=${shellQuote(all.join(" "))} ;;`;
  });
  return `# bash completion of bootproof; use: eval "$(bootproof completion bash)"
_bootproof() {
  local path= word words i current=\${COMP_WORDS[COMP_CWORD]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "\${path:+$path }$word" in
${verbCases(words)}
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -X '-*' -- "$current"; compgen -f -- "$current")
  fi
}
complete -o filenames -F _bootproof bootproof
`;
}

function verbCases(words: readonly Words[]): string {
  const paths = words.flatMap(({ path }) =>
    path === "" ? [] : [`      ${shellQuote(path)}) path=${shellQuote(path)} ;;`],
  );
  return paths.join("\n");
}

function zshScript(words: readonly Words[]): string {
  const cases = words.map(({ path, verbs, flags }) => {
    const verbLines = verbs.map(({ name, summary }) => shellQuote(`${name}:${summary}`)).join(" ");
    const flagLines = flags.map(({ flag, summary }) => shellQuote(`${flag}:${summary}`)).join(" ");
    return `    ${shellQuote(path)}) verbs=(${verbLines}) flags=(${flagLines}) ;;`;
  });
  return `#compdef bootproof
# zsh completion of bootproof; use: eval "$(bootproof completion zsh)"
_bootproof() {
  local path_= i
  local -a verbs flags
  for ((i = 2; i < CURRENT; i++)); do
    case "\${path_:+$path_ }\${words[i]}" in
${verbCases(words).replaceAll(" path=", " path_=")}
    esac
  done
  case "$path_" in
${cases.join("\n")}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe option flags
  else
    (( $#verbs )) && _describe verb verbs
    _files
  fi
}
compdef _bootproof bootproof
`;
}

function fishScript(words: readonly Words[]): string {
  const lines = words.flatMap(({ path, verbs, flags }) => {
    const condition = shellQuote(`__bootproof_at ${path}`.trim());
    return [
      ...verbs.map(
        ({ name, summary }) => `complete -c bootproof -n ${condition} -a ${name} -d ${shellQuote(summary)}`,
      ),
      ...flags.map(
        ({ flag, takesValue, summary }) =>
          `complete -c bootproof -n ${condition} -l ${flag.replace(/^--/, "")}${takesValue ? " -r" : ""} -d ${shellQuote(summary)}`,
      ),
    ];
  });
  return `# fish completion of bootproof; use: bootproof completion fish | source
function __bootproof_at
  set -l typed (string match -v -- '-*' (commandline -opc)[2..-1])
  set -l known ${words.map(({ path }) => shellQuote(path)).join(" ")}
  set -l path
  for word in $typed
    contains -- (string join ' ' $path $word) $known; and set -a path $word
  end
  test (string join ' ' $path) = (string join ' ' $argv)
end
${lines.join("\n")}
`;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
