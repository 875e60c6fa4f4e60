package sys

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// CPUQuota is the processor time that the cgroups of this process grant, in
// processors (0.5 is half of one): the least one on the way up to the root. ok
// is false if there is no quota.
func CPUQuota() (cpus float64, ok bool) {
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		// "0::/path" is version 2, "4:cpu,cpuacct:/path" is version 1.
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, dir, found := strings.Cut(rest, ":")
		if !found {
			continue
		}
		read := quotaV2
		root := "/sys/fs/cgroup"
		if controllers != "" {
			if !strings.Contains(","+controllers+",", ",cpu,") {
				continue
			}
			read, root = quotaV1, "/sys/fs/cgroup/cpu"
		}
		for {
			if q, has := read(path.Join(root, dir)); has && (!ok || q < cpus) {
				cpus, ok = q, true
			}
			if dir == "/" || dir == "." || dir == "" {
				break
			}
			dir = path.Dir(dir)
		}
	}
	return cpus, ok
}

func quotaV2(dir string) (float64, bool) {
	b, err := os.ReadFile(dir + "/cpu.max")
	if err != nil {
		return 0, false
	}
	quota, period, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	return quotient(quota, period)
}

func quotaV1(dir string) (float64, bool) {
	quota, err := os.ReadFile(dir + "/cpu.cfs_quota_us")
	if err != nil {
		return 0, false
	}
	period, err := os.ReadFile(dir + "/cpu.cfs_period_us")
	if err != nil {
		return 0, false
	}
	return quotient(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

func quotient(quota, period string) (float64, bool) {
	q, err := strconv.ParseFloat(quota, 64) // "max" and -1 are no quota
	p, err2 := strconv.ParseFloat(period, 64)
	if err != nil || err2 != nil || q <= 0 || p <= 0 {
		return 0, false
	}
	return q / p, true
}
