package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/earshot-cx/earshot"
	"github.com/earshot-cx/earshot/index"
	"github.com/earshot-cx/earshot/issues"
	"github.com/earshot-cx/earshot/query"
)

// Record gives a stored verbatim; its analysis is nil while it waits.
func (e *Engine) Record(ctx context.Context, tenant, id string) (*earshot.Record, error) {
	rec, err := e.store.Record(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	return rec, e.nameIssues(ctx, tenant, rec)
}

// nameIssues makes records name their issues as they are called now.
func (e *Engine) nameIssues(ctx context.Context, tenant string, recs ...*earshot.Record) error {
	if !slices.ContainsFunc(recs, func(r *earshot.Record) bool { return len(r.Issues) > 0 }) {
		return nil
	}
	t := e.tenant(tenant)
	t.applying.Lock()
	defer t.applying.Unlock()
	st, err := e.stateOf(ctx, t)
	if err != nil {
		return err
	}
	for _, r := range recs {
		r.Issues = st.currentIssues(r.Issues)
	}
	return nil
}

// Erase removes a verbatim: at once from the record, a moment later from
// issues, series and index.
func (e *Engine) Erase(ctx context.Context, tenant, id string) error {
	if err := e.store.Erase(ctx, tenant, id, e.now()); err != nil {
		return err
	}
	e.tenant(tenant).wake()
	return nil
}

// Wait returns a verbatim once it is analysed and can be found by a search, or
// ctx's error when that ends first.
func (e *Engine) Wait(ctx context.Context, tenant, id string) (*earshot.Record, error) {
	t := e.tenant(tenant)
	for {
		absorbed, _, changed := t.view()
		rec, err := e.store.Record(ctx, tenant, id)
		if err != nil {
			return nil, err
		}
		if rec.Analysis != nil && rec.Seq <= absorbed {
			return rec, e.nameIssues(ctx, tenant, rec)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// Idle returns when nothing of the tenant waits and the index has the whole log.
func (e *Engine) Idle(ctx context.Context, tenant string) error {
	t := e.tenant(tenant)
	for {
		absorbed, _, changed := t.view()
		waiting, err := e.store.Take(ctx, tenant, 1)
		if err != nil {
			return err
		}
		last, err := e.store.LastSeq(ctx, tenant)
		if err != nil {
			return err
		}
		if len(waiting) == 0 && absorbed >= last {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Search finds verbatims and dresses the hits with their scores and highlights.
func (e *Engine) Search(ctx context.Context, tenant string, r SearchRequest) (*SearchResult, error) {
	begun := time.Now()
	if err := e.searchable(tenant); err != nil && !r.Partial {
		return nil, err
	}
	node, err := query.Parse(r.Q, query.Options{Now: e.now(), Location: r.Location})
	if err != nil {
		return nil, err
	}
	if node, err = e.nameQuery(ctx, tenant, node); err != nil {
		return nil, err
	}
	sort := r.Sort
	if _, everything := node.(query.All); everything && sort == "" {
		sort = index.ByAtDesc
	}
	found, err := e.index.Search(ctx, tenant, index.Request{Query: node, From: r.From, To: r.To, Sort: sort,
		Limit: r.Limit, After: r.Cursor, Facets: r.Facets})
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, earshot.Errorf(earshot.QueryTimeout, "the search took too long")
		}
		return nil, err
	}
	ids := make([]string, len(found.Hits))
	relevance := make(map[string]float64, len(found.Hits))
	for i, h := range found.Hits {
		ids[i] = h.ID
		relevance[h.ID] = h.Relevance
	}
	recs, err := e.store.Records(ctx, tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("read hits: %w", err)
	}
	if err := e.nameIssues(ctx, tenant, recs...); err != nil {
		return nil, err
	}
	out := &SearchResult{Items: make([]SearchItem, 0, len(recs)), Total: found.Total, Facets: found.Facets, Next: found.Next}
	for _, rec := range recs {
		item := SearchItem{Record: rec, Relevance: relevance[rec.Verbatim.ID]}
		item.Marks = query.Highlight(node, query.NewDocument(rec, e.nlp))
		item.Fragment = fragment(rec.Verbatim.Text(), item.Marks)
		out.Items = append(out.Items, item)
	}
	out.Took = time.Since(begun)
	return out, nil
}

// nameQuery makes issue: of an issue mean also those that were merged into it,
// and of a merged one the issue that it went into: the index knows each verbatim
// under the issue that it was put into first.
func (e *Engine) nameQuery(ctx context.Context, tenant string, node query.Node) (query.Node, error) {
	names := false
	query.Each(node, func(n query.Node) {
		f, ok := n.(query.Field)
		names = names || ok && f.Name == "issue"
	})
	if !names {
		return node, nil
	}
	t := e.tenant(tenant)
	t.applying.Lock()
	defer t.applying.Unlock()
	st, err := e.stateOf(ctx, t)
	if err != nil {
		return nil, err
	}
	return query.Rewrite(node, func(n query.Node) query.Node {
		f, ok := n.(query.Field)
		if !ok || f.Name != "issue" {
			return n
		}
		number, ok := issues.NumberOf(strings.ToUpper(f.Value))
		if !ok {
			return n
		}
		all := query.Any{Name: "issue"}
		for _, k := range st.issues.Into(st.issues.Current(number)) {
			all.Values = append(all.Values, issues.IDOf(k))
		}
		return all
	}), nil
}

// searchable says why a tenant's index must not be searched now.
func (e *Engine) searchable(tenant string) error {
	t := e.tenant(tenant)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.damaged || t.absorbed < t.target {
		return earshot.Errorf(earshot.PartialIndex, "the index is being rebuilt: %d of %d entries; ?partial=true searches what is there", t.absorbed, t.target)
	}
	return nil
}

// Ready says of each part of the service whether it works.
func (e *Engine) Ready(ctx context.Context) []Part {
	parts := []Part{{Name: "store", OK: true}}
	if err := e.store.Ping(ctx); err != nil {
		parts[0] = Part{Name: "store", Detail: err.Error()}
	}
	e.mu.Lock()
	tenants := make([]*tenant, 0, len(e.tenants))
	for _, t := range e.tenants {
		tenants = append(tenants, t)
	}
	running := e.started != nil
	e.mu.Unlock()
	parts = append(parts, Part{Name: "engine", OK: running})
	slices.SortFunc(tenants, func(a, b *tenant) int { return cmp.Compare(a.id, b.id) })
	for _, t := range tenants {
		part := Part{Name: "index/" + t.id, OK: true}
		t.mu.Lock()
		switch {
		case t.damaged || t.absorbed < t.target:
			part.OK, part.Detail = false, fmt.Sprintf("rebuilding: %d of %d entries", t.absorbed, t.target)
		case t.fault != "":
			part.OK, part.Detail = false, "falling behind: "+t.fault
		}
		t.mu.Unlock()
		parts = append(parts, part)
	}
	return parts
}
