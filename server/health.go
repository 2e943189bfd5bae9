package server

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/earshot-cx/earshot/engine"
)

// A health is the answer of /livez and /readyz.
type health struct {
	Status string        `json:"status"` // "ok" or "unavailable"
	Parts  []engine.Part `json:"parts,omitempty"`
}

// livez says that the process answers; nothing else, so that a broken disk does not get it killed.
func (s *Server) livez(c *call) error {
	return s.reply(c, http.StatusOK, health{Status: "ok"})
}

func (s *Server) readyz(c *call) error {
	ctx, cancel := context.WithTimeout(c.ctx(), 2*time.Second)
	defer cancel()
	parts := s.engine.Ready(ctx)
	if s.draining.Err() != nil {
		parts = append(parts, engine.Part{Name: "server", Detail: "stopping"})
	}
	answer, status := health{Status: "ok"}, http.StatusOK
	for _, p := range parts {
		if !p.OK {
			answer.Status, status = "unavailable", http.StatusServiceUnavailable
		}
	}
	if _, verbose := c.GetQuery("verbose"); verbose {
		answer.Parts = parts
	}
	return s.reply(c, status, answer)
}

func (s *Server) getVersion(c *call) error {
	return s.reply(c, http.StatusOK, map[string]string{"version": s.version, "go": runtime.Version()})
}
