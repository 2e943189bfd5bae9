package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/earshot-cx/earshot"
)

// A conn is a connection to the database for one goroutine. It uses the driver
// without database/sql, whose locks and conversions would cost the writer more
// than some of its statements do.
type conn struct {
	c     driver.Conn
	stmts []*stmt
	args  []driver.NamedValue // scratch
	err   error               // the first error since it was last cleared
}

// A stmt is a prepared statement of a conn.
type stmt struct {
	conn *conn
	s    preparedStmt
}

type preparedStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// dsn names the database file at path, whatever characters it has, with pragmas
// that every connection needs.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": pragmas}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode(), OmitHost: true}
	return u.String()
}

func openConn(dsn string) (*conn, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	c, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return &conn{c: c}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.s.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

// prepare makes a statement that lives as long as the connection.
func (c *conn) prepare(query string) (*stmt, error) {
	s, err := c.c.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	st := &stmt{c, s.(preparedStmt)}
	c.stmts = append(c.stmts, st)
	return st, nil
}

// run executes statements without arguments or results.
func (c *conn) run(query string) error {
	s, err := c.c.Prepare(query)
	if err != nil {
		return err
	}
	_, err = s.(preparedStmt).ExecContext(context.Background(), nil)
	return errors.Join(err, s.Close())
}

// pragma reads a number that SQLite keeps about the database.
func (c *conn) pragma(name string) (int64, error) {
	s, err := c.c.Prepare("PRAGMA " + name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.Close() }()
	var n [1]driver.Value
	if _, err := (&stmt{c, s.(preparedStmt)}).row(n[:]); err != nil {
		return 0, err
	}
	v, _ := n[0].(int64)
	return v, nil
}

func (s *stmt) named(args []driver.Value) []driver.NamedValue {
	named := s.conn.args[:0]
	for i, a := range args {
		named = append(named, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	s.conn.args = named
	return named
}

// exec runs the statement and says how many rows it changed.
func (s *stmt) exec(args ...driver.Value) (int64, error) {
	r, err := s.s.ExecContext(context.Background(), s.named(args))
	if err != nil {
		return 0, s.conn.failed(err)
	}
	return r.RowsAffected()
}

// row reads the first row of the result into dest: int64, float64, string,
// []byte or nil. It says whether there is one.
func (s *stmt) row(dest []driver.Value, args ...driver.Value) (bool, error) {
	rows, err := s.s.QueryContext(context.Background(), s.named(args))
	if err != nil {
		return false, s.conn.failed(err)
	}
	err = rows.Next(dest)
	if closing := rows.Close(); err == nil {
		err = closing
	}
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, s.conn.failed(err)
	}
	return true, nil
}

// failed remembers the first error. SQLite may have rolled the transaction
// back by itself, so nothing of it can be kept, whoever saw the error.
func (c *conn) failed(err error) error {
	err = storageError(err)
	if c.err == nil {
		c.err = err
	}
	return err
}

// storageError gives the errors that callers must tell apart their codes.
func storageError(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	switch {
	case errors.Is(err, syscall.ENOSPC),
		ok && e.Code()&0xff == sqlite3.SQLITE_FULL,
		ok && e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE: // the memory-mapped part of the log could not grow
		return fmt.Errorf("%w (%w)", earshot.Errorf(earshot.StorageFull, "the disk is full"), err)
	case ok && e.Code()&0xff == sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%w (%w)", earshot.Errorf(earshot.Unavailable, "another process holds the store"), err)
	}
	return err
}
