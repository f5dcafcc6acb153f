package transport

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// silentPause is the pause after a 429 that does not say when to come back. It grows with each such
// answer in a row, whichever call gets it.
var silentPause = backoff{first: 2 * time.Second, longest: 10 * time.Minute}

// A silence is how often in a row the server has answered 429 and not said when to come back.
type silence struct {
	kept atomic.Int32 // entries; 0 while all is well

	mu sync.Mutex
	of map[string]quiet // by bucket; that of everything is empty
}

// A quiet is the last pause of a bucket.
type quiet struct {
	times        int
	began, until time.Time
}

// pause is for how long to send nothing behind a 429 to a request. Those that were under way when
// the last pause began are of the same trouble.
func (s *silence) pause(bucket string, sent time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, last := time.Now(), s.of[bucket]
	if last.times > 0 && !sent.After(last.began) && last.until.After(now) {
		return last.until.Sub(now)
	}
	ceiling := silentPause.ceiling(last.times + 1)
	pause := ceiling/2 + rand.N(ceiling/2)
	if s.of == nil {
		s.of = map[string]quiet{}
	}
	s.of[bucket] = quiet{last.times + 1, now, now.Add(pause)}
	s.kept.Store(int32(len(s.of)))
	return pause
}

// broken notes another answer than 429 to a request that was sent after the last one.
func (s *silence) broken(bucket string, sent time.Time) {
	if s.kept.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.of[bucket]; ok && sent.After(last.began) {
		delete(s.of, bucket)
		s.kept.Store(int32(len(s.of)))
	}
}
