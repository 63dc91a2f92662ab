// Command tlog verifies a tlog-tiles directory with x/mod alone: an opinion on our logs that shares no
// line of code with them.
//
//	tlog DIRECTORY VKEY
//
// It opens the checkpoint, reads every entry, and checks each against an inclusion proof that it makes from the
// tiles, and a consistency proof from every smaller tree at which a tile begins or ends. It prints one line and exits
// with 0, or says what is wrong and exits with 1.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8
const tileWidth = 1 << tileHeight

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: tlog DIRECTORY VKEY")
		os.Exit(64)
	}
	line, err := verify(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "tlog:", err)
		os.Exit(1)
	}
	fmt.Println(line)
}

func verify(directory, vkey string) (string, error) {
	tree, err := openCheckpoint(directory, vkey)
	if err != nil {
		return "", err
	}
	if tree.N == 0 {
		if tree.Hash != tlog.Hash(sha256.Sum256(nil)) {
			return "", errors.New("the empty tree has another root")
		}
		return summary(tree), nil
	}
	hashes := tlog.TileHashReader(tree, &tiles{directory})
	for first := int64(0); first < tree.N; first += tileWidth {
		if err := checkBundle(directory, tree, first, hashes); err != nil {
			return "", err
		}
	}
	if err := checkGrowth(tree, hashes); err != nil {
		return "", err
	}
	return summary(tree), nil
}

func summary(tree tlog.Tree) string {
	return fmt.Sprintf("size %d root %s", tree.N, tree.Hash)
}

// openCheckpoint verifies the note and parses the three lines of its text.
func openCheckpoint(directory, vkey string) (tlog.Tree, error) {
	data, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: not the three lines of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint size: %w", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, errors.New("checkpoint root is not base64 of 32 bytes")
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

// checkBundle checks the entries of the bundle that begins at index first.
func checkBundle(directory string, tree tlog.Tree, first int64, hashes tlog.HashReader) error {
	width := min(tree.N-first, tileWidth)
	path := tilePath("entries", first/tileWidth, width)
	rest, err := os.ReadFile(filepath.Join(directory, path))
	if err != nil {
		return err
	}
	for index := first; index < first+width; index++ {
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return fmt.Errorf("%s: entry %d is cut", path, index)
		}
		length := int(binary.BigEndian.Uint16(rest))
		entry := rest[2 : 2+length]
		rest = rest[2+length:]
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return fmt.Errorf("proof of entry %d: %w", index, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("%s: entry %d: %w", path, index, err)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s: %d bytes after the last entry", path, len(rest))
	}
	return nil
}

// checkGrowth proves that the tree begins with each smaller one around a tile's end.
func checkGrowth(tree tlog.Tree, hashes tlog.HashReader) error {
	for end := int64(0); end <= tree.N; end += tileWidth {
		for _, size := range []int64{end - 1, end, end + 1} {
			if size < 1 || size > tree.N {
				continue
			}
			older, err := tlog.TreeHash(size, hashes)
			if err != nil {
				return err
			}
			proof, err := tlog.ProveTree(tree.N, size, hashes)
			if err != nil {
				return err
			}
			if err := tlog.CheckTree(proof, tree.N, tree.Hash, size, older); err != nil {
				return fmt.Errorf("the tree of %d does not begin with that of %d: %w", tree.N, size, err)
			}
		}
	}
	return nil
}

// tiles serves x/mod's tile reader from a directory with the names of tlog-tiles, which leave the height out.
type tiles struct{ directory string }

func (t *tiles) Height() int { return tileHeight }

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := filepath.Join(t.directory, tilePath(strconv.Itoa(tile.L), tile.N, int64(tile.W)))
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && tile.W < tileWidth {
			full := filepath.Join(t.directory, tilePath(strconv.Itoa(tile.L), tile.N, tileWidth))
			data, err = os.ReadFile(full)
			data = bytes.Clone(data[:min(len(data), tile.W*tlog.HashSize)])
		}
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// tilePath spells a path of tlog-tiles: groups of three digits, all but the last after an x.
func tilePath(level string, index, width int64) string {
	path := fmt.Sprintf("%03d", index%1000)
	for index /= 1000; index > 0; index /= 1000 {
		path = fmt.Sprintf("x%03d/%s", index%1000, path)
	}
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + path
}
