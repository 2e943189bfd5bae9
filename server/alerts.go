package server

import (
	"errors"
	"net/http"
	"strings"

	"github.com/earshot-cx/earshot"
)

func (s *Server) listAlerts(c *call) error {
	f, err := queryOf(c)
	if err != nil {
		return err
	}
	states := f.some("state", earshot.AlertStates)
	limit := f.int("limit", 1, maxPage, defaultPage)
	cursor := f.string("cursor")
	if err := f.err(); err != nil {
		return err
	}
	bound := []string{"alerts", c.tenant, strings.Join(states, ",")}
	after, err := s.cursors.open(cursor, bound...)
	if err != nil {
		return err
	}
	list, more, err := s.engine.Alerts(c.ctx(), c.tenant, states, after, limit)
	if err != nil {
		return err
	}
	answer := page[*earshot.Alert]{Items: append([]*earshot.Alert{}, list...)}
	if more {
		answer.Next = s.cursors.seal(list[len(list)-1].ID, bound...)
	}
	return s.reply(c, http.StatusOK, answer)
}

func (s *Server) getAlert(c *call) error {
	alert, err := s.engine.Alert(c.ctx(), c.tenant, c.Param("id"))
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, alert)
}

// commandAlert makes the handler of what a person may do to an alert. arg is
// the one name in the body, which the engine judges; "" for none, and then the
// body may be left out.
func commandAlert(action, arg string) func(*Server, *call) error {
	return func(s *Server, c *call) error {
		f := &form{}
		if arg != "" || c.Request.ContentLength != 0 {
			var err error
			if f, err = s.formOf(c); err != nil {
				return err
			}
		}
		value := ""
		if arg != "" {
			if value = f.string(arg); !f.has(arg) {
				f.wrong(arg, "required", arg+" is missing")
			}
		}
		if err := f.err(); err != nil {
			return err
		}
		alert, err := s.engine.CommandAlert(c.ctx(), c.tenant, c.Param("id"), action, value, c.key.ID)
		if e, ok := errors.AsType[*earshot.Error](err); ok && e.Code == earshot.Invalid && arg != "" {
			return wrongParam(arg, "invalid", e.Message)
		}
		if err != nil {
			return err
		}
		return s.reply(c, http.StatusOK, alert)
	}
}

// listRules gives the one rule there is.
func (s *Server) listRules(c *call) error {
	if _, _, err := s.pageOf(c, "rules"); err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, page[earshot.Rule]{Items: []earshot.Rule{earshot.IssuesDefault()}})
}

func (s *Server) getRule(c *call) error {
	if c.Param("id") != earshot.DefaultRule {
		return earshot.Errorf(earshot.NotFound, "there is no rule of this id")
	}
	return s.reply(c, http.StatusOK, earshot.IssuesDefault())
}
