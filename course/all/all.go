// Package all lists the lessons of the course in its order.
package all

import (
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/course/01-schedule/schedule"
	"github.com/tandem-go/tandem/course/02-sequential/sequential"
	"github.com/tandem-go/tandem/course/03-process/process"
	"github.com/tandem-go/tandem/course/04-join/join"
	"github.com/tandem-go/tandem/course/05-globals/globals"
	"github.com/tandem-go/tandem/course/06-pool/pool"
	"github.com/tandem-go/tandem/course/07-thread/thread"
	"github.com/tandem-go/tandem/course/08-levels/levels"
	"github.com/tandem-go/tandem/course/09-sharing/sharing"
	"github.com/tandem-go/tandem/course/10-mutex/mutex"
	"github.com/tandem-go/tandem/course/11-coroutine/coroutine"
	"github.com/tandem-go/tandem/course/12-hybrid/hybrid"
	"github.com/tandem-go/tandem/course/13-crash/crash"
	"github.com/tandem-go/tandem/course/14-timeout/timeout"
	"github.com/tandem-go/tandem/course/15-anywhere/anywhere"
	"github.com/tandem-go/tandem/course/16-owner/owner"
)

// Lessons are all lessons. The list is not to be changed.
var Lessons = []*course.Lesson{
	schedule.Lesson,
	sequential.Lesson,
	process.Lesson,
	join.Lesson,
	globals.Lesson,
	pool.Lesson,
	thread.Lesson,
	levels.Lesson,
	sharing.Lesson,
	mutex.Lesson,
	coroutine.Lesson,
	hybrid.Lesson,
	crash.Lesson,
	timeout.Lesson,
	anywhere.Lesson,
	owner.Lesson,
}
