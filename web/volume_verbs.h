// `greffe-archive volume`: the disks of the pool.
#ifndef GREFFE_WEB_VOLUME_VERBS_H
#define GREFFE_WEB_VOLUME_VERBS_H

#include <functional>
#include <string>

#include "archive/base/command_line.h"
#include "archive/format/canonical_json.h"

namespace greffe::web {

struct VolumeVerbs {  // outlives the command line
  std::function<Result<Json>(const std::string& verb, const Json& arguments)> ask;  // the running archive
  std::string volume, new_volume;
  bool json = false;

  void define(CommandLine& line);
};

}  // namespace greffe::web

#endif
