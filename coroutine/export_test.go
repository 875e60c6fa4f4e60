package coroutine

// StdDir lets a test look at places as a program built with -trimpath sees them.
var StdDir = &stdDir
