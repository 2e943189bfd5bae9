package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/blevesearch/bleve/v2/util"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// errInUse is that another process has the index open.
var errInUse = errors.New("another process has it open")

// A verifyBudget is how many bytes Open still reads to compare checksums. Where it is used up, files are judged
// by their length and end only.
type verifyBudget struct{ left atomic.Int64 }

// maxVerify is about a second's reading.
const maxVerify = 2 << 30

// verifyShard looks at a shard before bleve does: bleve trusts its files, and a
// wrong one is found late, as a panic or as hits that are missing. Only what
// the newest snapshot names counts; other files are what a kill left behind. It
// gives the number of segments.
func verifyShard(path string, budget *verifyBudget) (segments int, err error) {
	store := filepath.Join(path, "store")
	root := filepath.Join(store, "root.bolt")
	if err := verifyBolt(root); err != nil {
		return 0, err
	}
	db, err := bbolt.Open(root, 0, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return 0, errInUse
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	var files []string
	err = db.View(func(tx *bbolt.Tx) error {
		snapshots := tx.Bucket(util.BoltSnapshotsBucket)
		if snapshots == nil {
			return errors.New("root.bolt has no snapshots")
		}
		newest, _ := snapshots.Cursor().Last()
		snapshot := snapshots.Bucket(newest)
		if snapshot == nil {
			return errors.New("root.bolt has no snapshot")
		}
		return snapshot.ForEachBucket(func(key []byte) error {
			if file := snapshot.Bucket(key).Get(util.BoltPathKey); file != nil {
				files = append(files, string(file))
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		if err := verifySegment(filepath.Join(store, f), budget); err != nil {
			return 0, fmt.Errorf("segment %s: %w", f, err)
		}
	}
	return len(files), nil
}

// verifySegment checks a zap file. It ends in its format's version and the CRC-32 of all before the CRC.
func verifySegment(path string, budget *verifyBudget) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	const footer = 44 // with an empty writer id, as ours have
	if info.Size() <= footer {
		return errors.New("cut short")
	}
	var tail [8]byte
	if _, err := f.ReadAt(tail[:], info.Size()-8); err != nil {
		return err
	}
	if version := binary.BigEndian.Uint32(tail[:4]); version < 11 || version > 17 {
		return errors.New("cut short, or of an unknown version")
	}
	if budget.left.Add(-info.Size()) < 0 {
		return nil
	}
	sum := crc32.NewIEEE()
	if _, err := io.CopyBuffer(sum, io.LimitReader(f, info.Size()-4), make([]byte, 256<<10)); err != nil {
		return err
	}
	if sum.Sum32() != binary.BigEndian.Uint32(tail[4:]) {
		return errors.New("wrong checksum")
	}
	return nil
}

// verifyBolt checks that a bolt file has two sound meta pages and all the pages
// that the newer one counts: bolt maps the file, and reading past its end is a fault
// that would end the process.
func verifyBolt(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var newest, pages, pageSize uint64
	for _, at := range []int64{0, int64(os.Getpagesize())} {
		const header, meta, checked = 16, 64, 56
		var b [header + meta]byte
		if _, err := f.ReadAt(b[:], at); err != nil {
			return fmt.Errorf("root.bolt is cut short: %w", err)
		}
		m := b[header:]
		h := fnv.New64a()
		h.Write(m[:checked])
		txid := binary.NativeEndian.Uint64(m[48:])
		if binary.NativeEndian.Uint32(m) != 0xED0CDAED || binary.NativeEndian.Uint64(m[checked:]) != h.Sum64() {
			return errors.New("root.bolt is damaged") // with the other page bolt would go back in time
		}
		if txid >= newest {
			newest, pages, pageSize = txid, binary.NativeEndian.Uint64(m[40:]), uint64(binary.NativeEndian.Uint32(m[8:]))
		}
	}
	if pages == 0 || pages*pageSize > uint64(info.Size()) {
		return errors.New("root.bolt is cut short")
	}
	return nil
}
