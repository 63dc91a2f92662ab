/**
 * Pages of container images and folders that become ramdisks.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

/** Pages of BP-IMAGE. */
export const IMAGE_PAGES: Pages = {
  "BP-IMAGE-001": {
    title: "not a container image",
    exit: EXIT.malformed,
    why: "Read are an OCI layout (a folder or a tar of one, with oci-layout and index.json) and what `docker save` writes. `docker export` writes the files alone, without layers and configuration.",
    fix: "Save the image: docker save -o image.tar NAME, or skopeo copy docker://NAME oci-archive:image.tar",
  },
  "BP-IMAGE-002": {
    title: "a malformed index, manifest or configuration",
    exit: EXIT.malformed,
    why: "These are JSON documents of the OCI image specification or of docker; one that repeats a key, or is manifest and index at once, would mean different things to different tools.",
    fix: "Save the image again; if its builder wrote it like this, report it there.",
  },
  "BP-IMAGE-003": {
    title: "a part of the image is missing",
    exit: EXIT.malformed,
    why: "The image names this part by digest and its archive or folder does not hold it. Copies of some platforms only, or without layers, look like this.",
    fix: "Copy the image whole: skopeo copy, crane pull or docker save.",
  },
  "BP-IMAGE-004": {
    title: "a part of the image is not the one that it names",
    exit: EXIT.no,
    why: "Every part is hashed before it is used. These bytes have another digest or size: they were damaged, or changed.",
    fix: "Fetch the image again; compare its digest with the publisher's.",
  },
  "BP-IMAGE-005": {
    title: "no image for the platform",
    exit: EXIT.malformed,
    why: "An image index lists an image for each platform, and a single image says its own.",
    fix: "Give the architecture that the image has, or save the image for the one that you want: --platform linux/arm64",
  },
  "BP-IMAGE-006": {
    title: "several images, and nothing says which is meant",
    exit: EXIT.malformed,
    why: "An archive or layout may hold many images. We take none at random.",
    fix: "Pin one by its digest; the message lists them.",
  },
  "BP-IMAGE-007": {
    title: "the pinned digest is not in the image",
    exit: EXIT.no,
    why: "A pin names an index, a manifest or a configuration (docker's image id) by SHA-256, and nothing in this archive or layout has it. `docker save` keeps no manifest of a registry, so only the image id can pin it.",
    fix: "Pin what is there, after you have made sure that it is what you want: skopeo inspect, or docker images --no-trunc",
  },
  "BP-IMAGE-008": {
    title: "a kind of layer or image that cannot be unpacked",
    exit: EXIT.malformed,
    why: "Unpacked are tar layers, plain or compressed with gzip or zstd. Layers that lie elsewhere (foreign, nondistributable), encrypted ones, artifacts that are no images, and docker's schema 1 are refused.",
    fix: "Convert the image: skopeo copy --format oci",
  },
  "BP-IMAGE-009": {
    title: "a layer does not unpack to what the configuration names",
    exit: EXIT.no,
    why: "The configuration holds the SHA-256 of each uncompressed layer (diff_ids). A layer with its own right digest and a wrong diff_id would be another image to each tool.",
    fix: "Fetch or build the image again.",
  },
  "BP-IMAGE-010": {
    title: "a malformed tar",
    exit: EXIT.malformed,
    why: "Headers, extended headers, sizes and the end of a tar are read strictly, since tools disagree about broken ones.",
    fix: "Build the image again; the message says where its tar is broken.",
  },
  "BP-IMAGE-011": {
    title: "a name in a layer that cannot be placed below the root",
    exit: EXIT.malformed,
    why: "Names with `..`, names that are too long for Linux, and names below something that is no directory are refused. Links among the folders of a name are followed inside the image, never out of it.",
    fix: "Build the image again without this entry.",
  },
  "BP-IMAGE-012": {
    title: "a hard link to nothing",
    exit: EXIT.malformed,
    why: "A hard link shares a file that an earlier entry or a lower layer has put there. Nothing is there, or a directory, or a whiteout of this layer has taken it away.",
    fix: "Build the image again; a layer that was cut out of its image looks like this.",
  },
  "BP-IMAGE-013": {
    title: "an entry of a kind that is never unpacked",
    exit: EXIT.malformed,
    why: "Files, directories, links, pipes and device nodes are unpacked. Sockets exist only while a program listens.",
    fix: "Remove the entry; the message names it.",
  },
  "BP-IMAGE-014": {
    title: "an image over the limits",
    exit: EXIT.malformed,
    why: "Uncompressed bytes, their ratio to compressed ones, entries, layers and levels are limited, several times above the largest images that exist, so that a small file cannot fill the disk.",
    fix: "Make the image smaller. Empty space in files compresses to nearly nothing and still counts.",
  },
  "BP-IMAGE-015": {
    title: "something that a ramdisk has no room for",
    exit: EXIT.malformed,
    why: "The kernel reads ramdisks in cpio's newc format, whose numbers have 32 bits: files below 4 GiB, owners and device numbers below 2^32, names below 4096 bytes.",
    fix: "Split or leave out the file that the message names.",
  },
  "BP-IMAGE-016": {
    title: "nothing says which program to run",
    exit: EXIT.malformed,
    why: "An enclave runs what ENTRYPOINT and CMD of its image say, and this one has neither. A folder has no configuration at all.",
    fix: "Give the command in the recipe (cmd: [...]), or build the image with ENTRYPOINT or CMD.",
  },
  "BP-IMAGE-017": {
    title: "an argument, variable, folder or user that is no line",
    exit: EXIT.malformed,
    why: "The enclave's init reads one argument and one variable a line, so a line break or a zero byte in one of them cannot be told from its end. A variable needs a name and `=`.",
    fix: "Encode the value (base64), or put it in a file of the image.",
  },
  "BP-IMAGE-018": {
    title: "a user or group that the image does not know",
    exit: EXIT.malformed,
    why: "Names are looked up in /etc/passwd and /etc/group of the image itself.",
    fix: "Give numbers (USER 1000:1000), or add the user to the image.",
  },
  "BP-IMAGE-019": {
    title: "a file changed while it was read",
    exit: EXIT.tryAgain,
    why: "The size, time or kind of a file is another than a moment before; the ramdisk would be a mixture.",
    fix: "Run the command again when nothing writes to the folder.",
  },
  "BP-IMAGE-020": {
    title: "no room for the unpacked layers",
    exit: EXIT.cannotWrite,
    why: "Compressed layers are unpacked to a temporary file without a name, which takes as much space as the image uncompressed.",
    fix: "Free space, or choose another folder for temporary files: TMPDIR",
  },
  "BP-IMAGE-101": finding(
    "programs lose their file capabilities",
    "Ramdisks carry no extended attributes, so a program that has its rights from `setcap` starts without them.",
    "Let init or the program's user have the right, or set the capability at start.",
  ),
  "BP-IMAGE-102": finding(
    "files lose access lists or extended attributes",
    "Ramdisks carry owner, group and mode of a file and nothing else.",
    "Express the rights by owner, group and mode.",
  ),
  "BP-IMAGE-103": finding(
    "nitro-cli would run another command",
    "With ENTRYPOINT and CMD both set, OCI runtimes run ENTRYPOINT with CMD behind it. nitro-cli takes CMD alone.",
    "Nothing, if the image runs well in containers; to get nitro-cli's ramdisk: argv: nitro-cli",
  ),
  "BP-IMAGE-104": finding(
    "the user's further groups are lost",
    "Container runtimes give a named user the groups that list it in /etc/group; the enclave's init sets one user and one group.",
    "Give the files to the user or its group.",
  ),
  "BP-IMAGE-105": finding(
    "device nodes in the image",
    "They are kept as they are. What is in /dev is covered by the kernel's own device file system.",
    "Remove them if they are left over from a build.",
  ),
  "BP-IMAGE-106": finding(
    "an image that does not say its platform",
    "The configuration must name operating system and architecture; without them nobody can say whether the programs run.",
    "Build the image with a tool that writes both.",
  ),
  "BP-IMAGE-107": finding(
    "leftovers of AUFS",
    "Entries whose names begin with .wh..wh. are bookkeeping of an old storage driver and no files of the image.",
    "Nothing; or save the image with a current docker.",
  ),
  "BP-IMAGE-108": finding(
    "docker load would take another image",
    "The archive has index.json for OCI tools and manifest.json for docker, and they name different images. Ours is the first.",
    "Pin the image that you mean by its image id.",
  ),
  "BP-IMAGE-109": finding(
    "settings that mean nothing in an enclave",
    "Volumes, ports, health checks and stop signals are for container runtimes.",
    "Nothing, unless the program relies on them.",
  ),
};

function finding(title: string, why: string, fix: string): Page {
  return { title: `note: ${title}`, exit: EXIT.yes, why, fix };
}
