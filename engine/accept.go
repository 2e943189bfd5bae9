package engine

import (
	"context"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/earshot-cx/earshot/ingest"
	"github.com/earshot-cx/earshot/store"
)

// LiveFor is how old a verbatim may be and still go the live lane.
const LiveFor = 48 * time.Hour

// Accept validates, redacts and stores drafts of one tenant. The answers are in
// the order of the drafts; a draft that is refused harms no other. When it
// returns, what was accepted is on disk.
func (e *Engine) Accept(ctx context.Context, tenant string, drafts []ingest.Draft, o AcceptOptions) []Accepted {
	now := e.now().UTC()
	answers := make([]Accepted, len(drafts))
	items := make([]store.Item, 0, len(drafts))
	places := make([]int, 0, len(drafts))
	for i := range drafts {
		d := &drafts[i]
		answers[i].ExternalID = d.Verbatim.ExternalID
		if err := d.Verbatim.Validate(now, d.AsTurns); err != nil {
			answers[i].Err = err
			continue
		}
		items = append(items, e.prepare(d, now, o))
		places = append(places, i)
	}
	if len(items) == 0 {
		return answers
	}
	outcomes, err := e.store.Accept(ctx, tenant, items)
	for k, i := range places {
		if err != nil {
			answers[i].Err = err
			continue
		}
		answers[i].ID, answers[i].Status, answers[i].Err = outcomes[k].ID, outcomes[k].Status, outcomes[k].Err
		answers[i].Notes = items[k].Verbatim.Notes
	}
	if err == nil {
		e.tenant(tenant).wake()
	}
	return answers
}

// prepare turns what was sent into what is stored.
func (e *Engine) prepare(d *ingest.Draft, now time.Time, o AcceptOptions) store.Item {
	item := store.Item{Print: e.fingerprint(&d.Verbatim, d.AsTurns), Replace: o.Replace}
	v := d.Verbatim
	v.ID = "v_" + ulid.Make().String()
	v.ReceivedAt, v.Revision = now, 1
	e.complete(&v, d, now)
	if o.Backfill || now.Sub(v.At) >= LiveFor {
		item.Lane = store.Backfill
	}
	item.Verbatim = v
	return item
}
