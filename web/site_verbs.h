// The verbs with which one archive reads what another holds of it: `site add, list, remove` at the one that reads; where the copies are,
// `origin reader-code` and `origin reader-revoke`. And those that end the keys of sites: `origin revoke`, `cosigner revoke`.
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
  bool json = false;

  void define(CommandLine& line, Verb& origin, Verb& cosigner);
};

}  // namespace greffe::web

#endif
