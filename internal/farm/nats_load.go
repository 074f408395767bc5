package farm

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// load asks the server for counts it keeps: there is a message for each job that
// has not ended, under a subject for each class and priority.
func (s *natsStore) load(ctx context.Context) (map[string]Load, error) {
	asked, cancel := s.asked(ctx)
	defer cancel()
	info, err := s.stream.Info(asked, jetstream.WithSubjectFilter(jobSubjects[0]))
	if err != nil {
		return nil, s.gone(ctx, err)
	}
	all := map[string]Load{}
	for subject, n := range info.State.Subjects {
		class := classOf(subject)
		l := all[class]
		l.Waiting += int(n)
		all[class] = l
	}
	consumers := s.stream.ListConsumers(asked)
	for c := range consumers.Info() {
		class := classOf(c.Config.FilterSubject)
		if l, ok := all[class]; ok {
			running := min(c.NumAckPending, l.Waiting)
			l.Waiting -= running
			l.Running += running
			all[class] = l
		}
	}
	if err := consumers.Err(); err != nil {
		return nil, s.gone(ctx, err)
	}
	for class, l := range all {
		first, err := s.stream.GetMsg(asked, info.State.FirstSeq, jetstream.WithGetMsgSubject(fmt.Sprintf("impasto.job.%s.>", class)))
		if err == nil {
			l.Oldest = first.Time
			all[class] = l
		}
	}
	return all, nil
}

// classOf is the class in a subject of a job's message.
func classOf(subject string) string {
	words := strings.Split(subject, ".")
	if len(words) < 3 {
		return ""
	}
	return words[2]
}
