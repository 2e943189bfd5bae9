// Package earshot holds the nouns of Earshot, the service that hears what
// customers say. It imports only the standard library, so that a program
// which speaks of a [Verbatim] links no model, no database and no router.
//
// # The tour
//
// From the bottom up:
//
//   - Data. [github.com/earshot-cx/earshot/lexicons] embeds the hand-written
//     word lists; models embeds the dictionaries of the tokenizers (and,
//     later, trained weights), each with a manifest that names where it came from.
//   - nlp turns one text into an [Analysis] and does nothing else: no I/O, no
//     tenant, no clock. Its stages are a list that can be read in one glance.
//   - query is the query language: a tree, its parser, and a matcher that
//     judges one text in memory and says which words matched.
//   - store is the durable record: one log of typed entries per tenant, one
//     writer that group-commits what is waiting. Acknowledged means on disk.
//   - index is the search view of the record. It can be thrown away and built
//     again at any time; it remembers the last seq of the log it has absorbed.
//   - series counts what was said in buckets of five minutes.
//   - issues gathers mentions of one trouble into issues; alert decides when one
//     is spoken of far more than usual; webhook sends what is in the outbox.
//   - ingest reads bytes into Verbatims, with a position for every error.
//   - engine carries a Verbatim from acceptance to search hit, issue and alert.
//   - server is HTTP in and HTTP out; cmd/earshot is flags, configuration
//     and wiring.
//
// # The journey of one verbatim
//
// A POST arrives: server resolves the key to a tenant, ingest.DecodeVerbatim
// reads the body, engine.Accept validates it ([Verbatim.Validate]), redacts it
// (nlp.Redactor) and hands it to store.Accept, which answers once it is on
// disk. It waits in its lane. engine.Run takes a batch, a worker of nlp
// analyses each and issues.Reader.Mentions finds what they are about;
// engine.process lets the tenant's state put them into issues
// (issues.Tracker.Place), count them and judge the issues they went to
// (engine/watch.go), and writes all that follows with their place in the log
// in one transaction, messages to webhooks included. The index follows the
// log. A search is parsed by
// query.Parse, run by index.Search, and its hits are dressed with highlights
// made by query.Highlight from the stored text.
//
// layers_test.go says which package may import which.
package earshot
