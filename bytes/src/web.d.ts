// The two names of the Encoding Standard that Node and every browser have; pure packages compile without DOM and
// Node types, so they are declared here alone.
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}
