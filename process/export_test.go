package process

// FollowOOMKills makes a file the counter of the out-of-memory killer, until restore.
func FollowOOMKills(path string) (restore func()) {
	oomKills.Follow(path)
	return func() { oomKills.Follow("") }
}
