package jsonio

import "bytes"

// An order remembers which member came after which in the objects of a document and of those before
// it. A server writes objects of one kind alike, so the name that follows is known as a rule: it is
// compared with its quotes and colon in one step, instead of being searched for its end, looked at
// for escapes, and looked up. BenchmarkNames shows what that saves.
//
// What is wrong costs one comparison: then the name is read, and remembered for the next time. Places
// are numbers and not pointers, because setting a pointer costs the more while memory is collected.
type order struct {
	at     place // whose value is being read
	used   place
	places [maxPlaces]known
	table  [2 * maxPlaces]place // by hash of the name
}

// A place is a member name where it stands: the attributes of a tag are not those of a title. 0 is the
// document, and stands for what has no place of its own, too.
type place uint16

// known is what is known of a place. Text is how the name stands in the document: "name":
type known struct {
	name  []byte
	text  string // the same
	head  uint64 // the first 8 bytes of the text
	tail  uint64 // the last 8, which may be some of the same
	mask  uint64 // which of the 8 there are, if it is shorter
	size  uint16 // of the text
	from  uint16 // where the last 8 begin
	in    place  // whose value it is a member of
	inner place  // the first member of its own value, last time; 0 for none
	next  place  // the member behind it, last time
}

// maxPlaces is more than a list of titles in all languages has, and a power of two.
const maxPlaces = 512

// around is how many bytes stand around the name in a text.
const around = len(`"":`)

// begin begins a document. What could not be remembered because there was too much makes room.
func (o *order) begin() {
	if o.used == maxPlaces {
		*o = order{}
	}
	o.used = max(o.used, 1)
	o.at = 0
}

// guess returns the member that is to be expected next, 0 for none.
func (o *order) guess(it *Iter) place {
	if it.first {
		return o.places[it.in%maxPlaces].inner
	}
	return o.places[it.last%maxPlaces].next
}

// stands reports whether a document has the text at i, where at least as much and a word more is left.
// Two words are all there is to most texts, and comparing them takes no call.
func (k *known) stands(d []byte, i int) bool {
	at := i + int(k.from)
	return ((word(d, i)^k.head)|(word(d, at)^k.tail))&k.mask == 0 && (k.from <= 8 || string(d[i+8:at]) == k.text[7:k.from-1])
}

// learn remembers that a member has come, and returns its place, 0 if it gets none. Text is how it was
// written.
func (o *order) learn(it *Iter, first bool, name, text []byte) place {
	p := place(0)
	if n := len(name); 0 < n && n <= maxName && n+around == len(text) { // else there are escapes, or white space
		p = o.find(it.in, name, text)
	}
	switch {
	case first:
		o.places[it.in].inner = p
	case it.last != 0:
		o.places[it.last].next = p
	}
	return p
}

// find returns the place of a member, which it makes if there is none and there is room for it.
func (o *order) find(in place, name, text []byte) place {
	slot := hash(name) % uint32(len(o.table))
	for ; o.table[slot] != 0; slot = (slot + 1) % uint32(len(o.table)) {
		p := o.table[slot]
		if k := &o.places[p%maxPlaces]; k.in == in && string(k.name) == string(name) {
			return p
		}
	}
	if o.used == maxPlaces {
		return 0
	}
	p := o.used
	o.used++
	o.table[slot] = p
	from := max(len(text)-8, 0)
	padded := append(text[:len(text):len(text)], "       "...) // if it is shorter than a word
	o.places[p] = known{
		name: bytes.Clone(name), text: string(name), in: in, size: uint16(len(text)), from: uint16(from),
		head: word(padded, 0), tail: word(padded, from), mask: 1<<(8*len(text)) - 1,
	}
	return p
}
