// `greffe-archive hand-over`: before another site is promoted although this one is well, this one takes nothing more, so that the other one can
// hold everything (docs/OPERATIONS.md, "A planned switch").
//
// As after a fence (archive/epochs.h) nothing is signed from then on, and so nothing is taken; what is here is served, copied and confirmed as
// before. It is durable before it is answered, and holds across restarts, until it is taken back or the site becomes another one: it lies in the
// state folder, and `rejoin` begins a folder of its own.
#ifndef GREFFE_WEB_HAND_OVER_H
#define GREFFE_WEB_HAND_OVER_H

#include <functional>
#include <string>
#include <vector>

#include "archive/base/command_line.h"
#include "archive/deposit.h"
#include "archive/main_log.h"
#include "web/http/server.h"

namespace greffe::web {

// Of a running archive. Thread-safe.
class HandOver {
 public:
  // Both outlive it.
  HandOver(FileSystem& files, Clock& clock, archive::MainLog& main_log, const std::string& state_directory);
  // At the start, before anything is appended: what was ordered before holds. io_error: it is not known whether it was.
  Status load();
  // POST /control/hand-over. `deposit`: what it has received and not committed to is committed to first.
  std::vector<http::Route> control_routes(archive::Deposit& deposit);

 private:
  Result<Json> begin(archive::Deposit& deposit);
  Result<Json> undo();

  FileSystem& files_;
  Clock& clock_;
  archive::MainLog& main_log_;
  const std::string path_;
};

struct HandOverVerb {  // outlives the command line
  std::function<Result<Json>(const std::string& verb, const Json& arguments)> ask;  // the running archive
  std::string end;    // a file for the signed end of the main log
  bool undo = false;
  bool json = false;
  void define(CommandLine& line);
};

}  // namespace greffe::web

#endif
