// The verbs with which one archive reads what another holds of it: `site add, list, remove` at the one that reads; where the copies are,
// `origin reader-code` and `origin reader-revoke`. Those that end the keys of sites: `origin revoke`, `cosigner revoke`. And `returning add,
// revoke`, with which an archive that was promoted takes back what only the site has that it was before.
#ifndef GREFFE_WEB_SITE_VERBS_H
#define GREFFE_WEB_SITE_VERBS_H

#include <functional>
#include <string>

#include "archive/base/command_line.h"
#include "archive/base/file_system.h"
#include "archive/format/canonical_json.h"

namespace greffe::web {

struct SiteVerbs {  // outlives the command line
  std::function<Result<Json>(const std::string& verb, const Json& arguments)> ask;                // the running archive
  std::function<Result<int>(const std::string& code_file, const Json& answer)> deliver_code;      // to a file, or the terminal
  PosixFileSystem files;                                                                         // stateless
  std::string name, why, code_file;
  std::int64_t epoch = 0;  // 0: not said
  bool json = false, renew = false;

  void define(CommandLine& line, Verb& origin, Verb& cosigner);

 private:
  void define_returning(CommandLine& line);
};

}  // namespace greffe::web

#endif
