// `greffe-archive share`: which other courts may see a hearing.
#ifndef GREFFE_WEB_SHARE_VERBS_H
#define GREFFE_WEB_SHARE_VERBS_H

#include <functional>
#include <string>

#include "archive/base/command_line.h"
#include "archive/format/canonical_json.h"

namespace greffe::web {

struct ShareVerb {  // outlives the command line
  std::function<Result<Json>(const std::string& verb, const Json& arguments)> ask;  // the running archive
  std::string hearing, court, reason, until;
  bool revoke = false;
  bool list = false;
  bool json = false;

  void define(CommandLine& line);
};

}  // namespace greffe::web

#endif
