// The verbs about witnesses: at an archive, who witnesses its main log, over the network or with files on a stick; at an archive that is
// itself a witness, of which logs.
#ifndef GREFFE_WEB_WITNESS_VERBS_H
#define GREFFE_WEB_WITNESS_VERBS_H

#include <cstdint>
#include <functional>
#include <string>

#include "archive/base/command_line.h"
#include "archive/base/file_system.h"
#include "archive/format/canonical_json.h"

namespace greffe::web {

struct WitnessVerbs {  // outlives the command line
  std::function<Result<Json>(const std::string& verb, const Json& arguments)> ask;  // the running archive
  PosixFileSystem files;                                                           // stateless
  std::string name, vkey, url, monitoring, authorities_file, server_key, origin, in_file, out_file;
  std::int64_t old_size = -1;  // not given
  bool json = false;

  void define(CommandLine& line);
};

// Of /v1/status, for `status`: a line for each witness.
Status print_witnesses(const Json& log);

}  // namespace greffe::web

#endif
