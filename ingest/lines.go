package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"

	"github.com/earshot-cx/earshot"
)

var bom = []byte("\ufeff")

// A Line is one line that is not blank. Data is valid until the next one is read.
type Line struct {
	Number int    // from 1; blank lines count
	Data   []byte // without its end; nil when the line was too long
}

// Lines reads NDJSON in constant memory. A line over limit bytes comes with a
// TooLarge error and is passed over; the ones after it are read as usual. Any
// other error is the reader's and the last thing given: what was read of the
// line it broke is dropped. A byte-order mark, \r\n and a last line without an
// end are all right.
func Lines(r io.Reader, limit int) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		if head, _ := in.Peek(len(bom)); bytes.Equal(head, bom) {
			_, _ = in.Discard(len(bom)) // cannot fail: they were peeked at
		}
		var long []byte // a line that does not fit the reader's buffer
		for n := 1; ; n++ {
			data, tooLong, err := readLine(in, &long, limit)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(Line{Number: n}, err)
				return
			}
			data = bytes.TrimSpace(data)
			switch {
			case tooLong:
				if !yield(Line{Number: n}, earshot.Errorf(earshot.TooLarge, "a line has at most %d bytes", limit)) {
					return
				}
			case len(data) > 0:
				if !yield(Line{n, data}, nil) {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
}

// readLine reads to the end of the line. Past limit it only looks for the end.
func readLine(in *bufio.Reader, long *[]byte, limit int) (data []byte, tooLong bool, err error) {
	*long = (*long)[:0]
	for {
		part, err := in.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		size := len(*long) + len(part)
		if !full {
			size -= ending(part)
		}
		switch {
		case tooLong:
		case size > limit:
			tooLong = true
			*long = nil
		case !full && len(*long) == 0:
			return part, false, err
		default:
			*long = append(*long, part...)
		}
		if !full {
			return *long, tooLong, err
		}
	}
}

// ending is the length of the line's end.
func ending(part []byte) int {
	switch {
	case bytes.HasSuffix(part, []byte("\r\n")):
		return 2
	case bytes.HasSuffix(part, []byte("\n")):
		return 1
	}
	return 0
}
