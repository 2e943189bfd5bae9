package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"modernc.org/sqlite"

	"github.com/earshot-cx/earshot"
)

// SQLite is the Store of one machine: one database file, in write-ahead-log
// mode. Another process may have the same folder open.
type SQLite struct {
	w       *writer
	db      *sql.DB // reads
	r       readers
	tenants sync.Map // id to number; tenants stay
	once    sync.Once
	closed  error
}

// FileName is the database within the data folder. SQLite keeps two more files
// beside it while it is open.
const FileName = "earshot.db"

// Pragmas of all connections. Another process may write for long (a migration
// does), hence the patience, in ms; erased text is overwritten, not only unlinked.
var (
	pragmas = []string{fmt.Sprintf("busy_timeout(%d)", busyTimeout), "temp_store(memory)", "secure_delete(on)"}

	// The writer's cache (48 MiB) is for the index of external ids, which are in no order.
	writerPragmas = append([]string{"synchronous(full)", "cache_size(-49152)",
		fmt.Sprintf("wal_autocheckpoint(%d)", autoCheckpoint)}, pragmas...)
	readerPragmas = append([]string{"query_only(on)", "cache_size(-4096)"}, pragmas...)
)

const busyTimeout = 30_000

// autoCheckpoint is after how many pages of 4 KiB the write-ahead log is moved
// into the database although calls are waiting. It holds them up for some
// 100 ms then. Fewer pages mean shorter waits, but a page that many groups touch
// (external ids in no order) is then moved more often: BenchmarkAccept.
const autoCheckpoint = 8000

// Open opens the store in dir, which it makes if need be (mode 0700), and
// brings what an older version wrote up to date.
func Open(dir string) (*SQLite, error) {
	s, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, storageError(err))
	}
	return s, nil
}

func open(dir string) (_ *SQLite, err error) {
	// The time stamps that fsync writes besides the data are of no use to us.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join(dir, FileName))
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	c, err := openConn(dsn(path, writerPragmas...))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = c.close()
		}
	}()
	if err := setUp(c); err != nil {
		return nil, err
	}
	if err := syncDir(dir); err != nil {
		return nil, err
	}
	s := &SQLite{}
	if s.db, err = sql.Open("sqlite", dsn(path, readerPragmas...)); err != nil {
		return nil, err
	}
	conns := max(4, runtime.GOMAXPROCS(0))
	s.db.SetMaxOpenConns(conns)
	s.db.SetMaxIdleConns(conns)
	if err := s.r.prepare(s.db); err != nil {
		_ = s.db.Close()
		return nil, err
	}
	if s.w, err = startWriter(c); err != nil {
		_ = s.db.Close()
		return nil, err
	}
	return s, nil
}

// setUp makes a new file a database of ours. A newer one is left as it is.
func setUp(c *conn) error {
	version, err := c.pragma("user_version")
	if err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	if err := useLog(c); err != nil {
		return err
	}
	return migrate(c)
}

// useLog switches to the write-ahead log. SQLite does not wait for another
// process that does the same at this moment, so we do.
func useLog(c *conn) error {
	for tries := 0; ; tries++ {
		err := c.run("PRAGMA journal_mode = wal")
		if err == nil || earshot.CodeOf(storageError(err)) != earshot.Unavailable || tries == 500 {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// syncDir makes sure that a file that was made in dir survives a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if runtime.GOOS == "windows" {
		err = nil // has no such thing
	}
	return errors.Join(err, d.Close())
}

// Ping implements Store.
func (s *SQLite) Ping(ctx context.Context) error {
	_, err := collect(ctx, s.r.tenantNo, func(*sql.Rows) (struct{}, error) { return struct{}{}, nil }, "")
	return err
}

// Close finishes what waits for the writer and closes the database. Calls that
// come later get Unavailable.
func (s *SQLite) Close() error {
	s.once.Do(func() {
		close(s.w.closing)
		<-s.w.stopped
		s.closed = errors.Join(s.db.Close(), s.w.close())
	})
	return s.closed
}
