/**
 * The two shell scripts that are part of every input root, and so of every action's digest: `enter` makes the sandbox
 * with the tools of the machine it runs on, `run` runs the steps inside with the tools of the input root. A change to
 * either is another action.
 * @module
 */

/** Where they lie in the input root. */
export const SCRIPTS_FOLDER = ".bootproof";

/** Names of the variables that the local executor sets for `enter`; a remote worker sets none of them. */
export const SANDBOX_VARIABLES = {
  /** The unpacked toolchain, when it is not the folder that holds `.bootproof`. */
  root: "BP_ROOT",
  /** An empty folder to mount on. */
  mount: "BP_MOUNT",
  /** Where the build folder appears inside. */
  build: "BP_BUILD",
  hostname: "BP_HOSTNAME",
  user: "BP_USER",
  umask: "BP_UMASK",
  /** Size limit of each of the two in-memory layers (changes to the root; /tmp). */
  scratch: "BP_SCRATCH",
  /** Folders of control groups to join, one a line. */
  cgroups: "BP_CGROUPS",
  /** "memory" to keep the build folder in memory, with its size limit. */
  buildMemory: "BP_BUILD_MEMORY",
  /** The host's folder that receives the outputs when the build folder is in memory. */
  outputs: "BP_OUTPUTS",
  /** Paths below the build folder to copy there, one a line; they get the names 1, 2, ... */
  copy: "BP_COPY",
  /** `NAME=value` lines that replace what the recipe and the conventions set. */
  vary: "BP_VARY",
} as const;

/**
 * Runs on the machine, in the folder that becomes the build folder. Needs /bin/sh, util-linux, mount, coreutils and
 * hostname, all of which Debian marks essential, and no privilege but user namespaces.
 */
export const ENTER_SCRIPT = `#!/bin/sh
# Makes the sandbox and runs the steps in it. First in the machine's own namespaces, then again as process 1 of new
# ones (user, mount, pid, net, ipc, uts, cgroup), where it is root of nothing but them.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

if [ "\${1-}" != inside ]; then
  here=$(cd "$(dirname "$0")/.." && pwd -P)
  BP_LAYER=$here BP_WORK=$(pwd -P)
  export BP_LAYER BP_WORK
  for group in \${BP_CGROUPS-}; do echo $$ > "$group/cgroup.procs"; done
  # Whoever runs this without further ado has an input root, and its /tmp is empty.
  : "\${BP_MOUNT:=$here/tmp}"
  export BP_MOUNT
  # The script goes in as text: the command line of process 1 can be read inside and must not name a host path.
  exec unshare --user --map-root-user --mount --pid --net --ipc --uts --cgroup --fork --kill-child \\
    --propagation private /bin/sh -c "$(cat "$0")" bootproof inside
fi

build=\${BP_BUILD:-/build} user=\${BP_USER:-1000} scratch=\${BP_SCRATCH:-1073741824}
hostname "\${BP_HOSTNAME:-bootproof}"

mount -t tmpfs -o "size=$scratch,mode=0755" scratch "$BP_MOUNT"
cd "$BP_MOUNT"
mkdir upper work root lower layer build outputs host
mount --bind "$BP_LAYER" layer
lowers=layer
if [ -n "\${BP_ROOT-}" ]; then
  mount --bind "$BP_ROOT" lower
  lowers=layer:lower
fi
mount --bind "$BP_WORK" build
if [ -n "\${BP_OUTPUTS-}" ]; then mount --bind "$BP_OUTPUTS" outputs; fi
mount --rbind / host
# Every path is relative: what the mount table shows inside is the same on every machine.
mount -t overlay -o "userxattr,lowerdir=$lowers,upperdir=upper,workdir=work" overlay root

mkdir -p root/proc root/dev root/tmp root/source "root$build" root/.old
mount -t proc -o nosuid,nodev,noexec proc root/proc
mount -t tmpfs -o "size=$scratch,mode=0755,nosuid,noexec" dev root/dev
for device in null zero full random urandom; do
  : > "root/dev/$device"
  mount --bind "/dev/$device" "root/dev/$device"
done
ln -s /proc/self/fd root/dev/fd
ln -s /proc/self/fd/0 root/dev/stdin
ln -s /proc/self/fd/1 root/dev/stdout
ln -s /proc/self/fd/2 root/dev/stderr
mkdir -m 1777 root/dev/shm
mount -t tmpfs -o "size=$scratch,mode=1777,nosuid,nodev" tmp root/tmp
mount --bind layer/source root/source
mount -o remount,bind,ro root/source
if [ -n "\${BP_BUILD_MEMORY-}" ]; then
  mount -t tmpfs -o "size=$BP_BUILD_MEMORY,mode=0755,nosuid,nodev" build "root$build"
  mkdir root/.outputs
  mount --bind outputs root/.outputs
else
  mount --bind build "root$build"
fi

# Two processes start now and wait, because after the pivot no program of the machine can be started any more: one
# cuts the old root off, from a view of the machine that goes with it; the other becomes the build. The pivot moves
# the root of the second, which shares it with process 1, and not of the first.
mkfifo waiting cut run
exec 4<>waiting 5<>cut 6<>run
cd root
unshare --root=../host --wd=. /bin/sh -c 'echo >&4; read -r _ <&5; umount -l -c .old && exec rmdir .old' 3>&- 6>&- &
cutter=$!
env -i BP_BUILD="$build" BP_UMASK="\${BP_UMASK:-022}" BP_VARY="\${BP_VARY-}" BP_COPY="\${BP_COPY-}" \\
  unshare --user --map-user="$user" --map-group="$user" setpriv --no-new-privs /bin/sh -c '
    echo >&4; read -r go <&6 && [ "$go" = go ] || exit 125
    exec 4>&- 5>&- 6>&-; cd /; exec /bin/bash /.bootproof/run' &
runner=$!
read -r _ <&4
read -r _ <&4
pivot_root . .old
cd /
echo >&5
wait "$cutter"
echo go >&6
exec 3>&- 4>&- 5>&- 6>&-
status=0
wait "$runner" || status=$?
exit "$status"
`;

/** Runs inside, as the build's user. Reports on file descriptor 3, when there is one: ready, start N, end N STATUS. */
export const RUN_SCRIPT = `#!/bin/bash
# Runs the steps in order, each by its own bash, in the environment of /.bootproof/env and no other.
{ : >&3; } 2> /dev/null || exec 3> /dev/null
# Whatever the machine's processes left open would lead out of here.
for fd in /proc/self/fd/*; do
  fd=\${fd##*/}
  [ "$fd" -le 3 ] || { exec {fd}>&-; } 2> /dev/null
done
umask "$BP_UMASK"
build=$BP_BUILD vary=$BP_VARY copy=$BP_COPY
cd "$build" || exit 125
for name in $(compgen -e); do unset "$name"; done
set -a
. /.bootproof/env
while IFS= read -r line; do
  [ -z "$line" ] || declare "$line"
done <<< "$vary"
set +a
unset vary line name fd
echo ready >&3
number=0
for step in /.bootproof/steps/*; do
  number=$((number + 1))
  printf '==> step %s\\n' "\${step##*/}"
  echo "start $number" >&3
  /bin/bash -euo pipefail "$step" 3>&- < /dev/null
  status=$?
  echo "end $number $status" >&3
  if [ "$status" -ne 0 ]; then
    printf '==> step %s ended with status %s\\n' "\${step##*/}" "$status"
    exit 1
  fi
  cd "$build" || exit 125
done
number=0
while IFS= read -r path; do
  [ -n "$path" ] || continue
  number=$((number + 1))
  cp -P -- "$path" "/.outputs/$number" || exit 1
done <<< "$copy"
`;
