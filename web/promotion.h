// `greffe-archive promote`: a second site goes on as the archive whose copies it holds, in a new epoch (docs/decisions/0018-epochs.md).
//
// In two steps. Without signatures: a statement is made that names exactly what the new epoch goes on from, and two officers of the archive sign
// it, each on a machine of his own. With their signatures, and this site's service stopped: from then on the site takes nothing of the
// epoch before (durable first), the certificate becomes the first entry of the new epoch's log, and the configuration is that of the archive. A
// crash between any two of these is gone on with by the same call. Nothing is removed: the site's own log and state stay where they are.
#ifndef GREFFE_WEB_PROMOTION_H
#define GREFFE_WEB_PROMOTION_H

#include <string>
#include <vector>

#include "archive/base/command_line.h"
#include "archive/base/result.h"

namespace greffe::web {

struct PromoteOptions {
  std::string config;                   // of this site; afterwards of the archive that goes on here. The old one is kept as "<config>.replica"
  std::string archive;                  // which of those whose copies it holds
  std::string machine_url;              // where stations and other sites reach it; empty: as the configuration says
  std::string end_path;                 // of a planned switch: what `hand-over --end` wrote where the archive is; exactly that must be held here
  std::string statement_path;           // where the statement goes; empty: it is only printed
  std::vector<std::string> signatures;  // files of officers; none: only the statement
  bool dry_run = false;                 // says what would be lost, and makes nothing, not even keys
  bool json = false;
};

// denied: this is no second site, or the signatures are not those of two officers over this statement. not_found: no copy of that archive is held.
// unavailable: the site's service still runs. conflict: another site was promoted to that epoch, or not exactly that is held with which the
// archive hands over.
Result<int> promote(const PromoteOptions& options);

struct PromotionVerb {  // outlives the command line, as does `config`
  PromoteOptions options;
  void define(CommandLine& line, const std::string& config);
};

}  // namespace greffe::web

#endif
