// Package lint holds the architecture of this repository by tests; it exports nothing.
//
// A rule that only a person remembers is broken within a month. The rules here
// are the ones that cannot be seen in one file:
//
//   - floors: an import of the library points down the lattice of packages;
//   - weight: what every child process would pay for is not linked, and why;
//   - unsafe: three packages use it, each use says why it is safe;
//   - modules: the library's few dependencies, and nested modules that can be installed;
//   - words: one package comment for each package, a comment for each exported name,
//     files of readable length, nothing left unfinished;
//   - text: nothing that is true on one machine only, and two READMEs that agree.
//
// A failing test names the file and what to do. To relax a rule, write a page
// under docs/design that says why and change the table of the rule with it.
package lint
