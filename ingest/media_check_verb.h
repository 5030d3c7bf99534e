// The verb `check-media` of greffe-ingest: does it play? For people, and for the archive's drills.
#ifndef GREFFE_INGEST_MEDIA_CHECK_VERB_H
#define GREFFE_INGEST_MEDIA_CHECK_VERB_H

#include <string>
#include <vector>

#include "archive/base/command_line.h"

namespace greffe::ingest {

struct MediaCheckVerb {  // outlives the command line
  std::vector<std::string> paths;
  bool json = false;

  void define(CommandLine& line);
};

}  // namespace greffe::ingest

#endif
