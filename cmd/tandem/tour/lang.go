package tour

import (
	"strings"

	"github.com/tandem-go/tandem/course"
)

// ParseLang reads the value of --lang.
func ParseLang(s string) (l course.Lang, ok bool) {
	switch strings.ToLower(s) {
	case "en":
		return course.En, true
	case "zh":
		return course.Zh, true
	}
	return "", false
}

// LangOf chooses the language when --lang is not given: TANDEM_LANG, and then
// the locale as the C library reads it, the first of LC_ALL, LC_MESSAGES and
// LANG that is set. A Chinese locale that is not UTF-8 gets English, because
// its terminal cannot show our bytes.
func LangOf(getenv func(string) string) course.Lang {
	if l, ok := ParseLang(getenv("TANDEM_LANG")); ok {
		return l
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return ofLocale(locale)
		}
	}
	return course.En
}

// ofLocale reads a locale as language_PLACE.encoding@variant. One that names
// no encoding has the C library's old default, which is not UTF-8.
func ofLocale(locale string) course.Lang {
	locale, _, _ = strings.Cut(locale, "@")
	place, encoding, _ := strings.Cut(locale, ".")
	language, _, _ := strings.Cut(place, "_")
	if language == "zh" && (encoding == "utf-8" || encoding == "utf8") {
		return course.Zh
	}
	return course.En
}
