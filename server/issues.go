package server

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/engine"
)

// maxTitle is how many characters a person may name an issue with.
const maxTitle = 200

// settable are the states that a person may give an issue.
var settable = []string{earshot.Muted, earshot.Closed, earshot.Active}

type issueList struct {
	Items []*earshot.Issue `json:"items"`
	Total int              `json:"total"`
	Next  *string          `json:"next_cursor"`
}

func (s *Server) listIssues(c *call) error {
	f, err := queryOf(c)
	if err != nil {
		return err
	}
	q := engine.IssueQuery{States: f.some("state", earshot.IssueStates), Sort: f.oneOf("sort", engine.IssueSorts),
		MinCustomers: f.int("min_customers", 1, math.MaxInt32, 0), Limit: f.int("limit", 1, maxPage, defaultHits)}
	cursor := f.string("cursor")
	if err := f.err(); err != nil {
		return err
	}
	bound := []string{"issues", c.tenant, q.Sort, strings.Join(q.States, ","), strconv.Itoa(q.MinCustomers)}
	if q.After, err = s.cursors.open(cursor, bound...); err != nil {
		return err
	}
	list, total, more, err := s.engine.Issues(c.ctx(), c.tenant, q)
	if err != nil {
		return err
	}
	answer := issueList{Items: append([]*earshot.Issue{}, list...), Total: total}
	if more {
		answer.Next = s.cursors.seal(list[len(list)-1].ID, bound...)
	}
	return s.reply(c, http.StatusOK, answer)
}

func (s *Server) getIssue(c *call) error {
	issue, err := s.engine.Issue(c.ctx(), c.tenant, c.Param("id"))
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, issue)
}

func (s *Server) patchIssue(c *call) error {
	f, err := s.formOf(c)
	if err != nil {
		return err
	}
	if len(f.values) == 0 {
		f.bad = append(f.bad, earshot.FieldError{Code: "required", Detail: "give a title, a state or both"})
	}
	var title *string
	if named, ok := f.values["title"].(string); ok {
		line := strings.Join(strings.Fields(named), " ")
		title = &line
		if n := utf8.RuneCountInString(line); n == 0 || n > maxTitle {
			f.wrong("title", "out_of_range", fmt.Sprintf("a title has 1 to %d characters", maxTitle))
		}
	}
	f.string("title") // says so if it is anything else
	state := f.oneOf("state", settable)
	if err := f.err(); err != nil {
		return err
	}
	issue, err := s.engine.PatchIssue(c.ctx(), c.tenant, c.Param("id"), title, state, c.key.ID)
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, issue)
}
