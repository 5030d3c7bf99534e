// `greffe-archive rejoin`: a site that was lost, and comes back after another one was promoted, becomes a second site of the archive that it
// was (docs/decisions/0018-epochs.md).
//
// It gets a name, keys and a log of its own, in a state folder of its own; its pool stays as it is, with the main log that it wrote. What it
// had taken and nobody else has stays in it. It is fenced as it was: the certificate is durable in the new folder before anything else is
// made there. The configuration comes last; a crash before that is gone on with by the same call.
#ifndef GREFFE_WEB_REJOIN_H
#define GREFFE_WEB_REJOIN_H

#include <string>

#include "archive/base/command_line.h"
#include "archive/base/result.h"

namespace greffe::web {

struct RejoinOptions {
  std::string config;       // of the archive that it was; afterwards of the second site. The old one is kept as "<config>.primary"
  std::string archive;      // which it was
  std::string name;         // of the site from now on, as `init --role replica` takes it
  std::string certificate;  // a file with that of the promotion; empty: it has heard of it
  bool json = false;
};

// denied: this is not that archive, no promotion of it is known here, officers did not sign the certificate, or the name is one that this site had
// before. unavailable: its service still runs. invalid: the name, or the certificate.
Result<int> rejoin(const RejoinOptions& options);

struct RejoinVerb {  // outlives the command line, as does `config`
  RejoinOptions options;
  void define(CommandLine& line, const std::string& config);
};

}  // namespace greffe::web

#endif
