// The station while it records: the recorder on a thread of its own, and the socket over which this machine's users talk
// to it, and the page in the courtroom. One thread makes it and waits.
#ifndef GREFFE_INGEST_SERVICE_H
#define GREFFE_INGEST_SERVICE_H

#include <memory>
#include <string>
#include <thread>

#include "archive/client/control_client.h"
#include "ingest/recorder.h"
#include "ingest/station_directories.h"
#include "ingest/station_page.h"
#include "ingest/uploader.h"
#include "web/http/server.h"

namespace greffe::ingest {

client::ControlSocket control_socket_of(const std::string& station_directory);

// Asks the running station, in whichever of its directories it can be reached.
Result<Json> ask_running(const IngestSettings& settings, const std::string& verb, const Json& arguments);

// From here on no thread takes SIGTERM or SIGINT; wait() does. Make it before any other thread.
class StopSignals {
 public:
  StopSignals();
  // True: one came. False: `wait_ms` passed.
  bool wait(std::int64_t wait_ms);

 private:
  sigset_t set_{};
};

class Service {
 public:
  // Everything must outlive it.
  Service(StationDirectories& directories, Clock& clock, Log& log, const Enrolment& enrolment, const PrivateKey& key);
  ~Service();
  Status start();       // conflict: another one runs in this directory
  Recorder& recorder() { return recorder_; }
  bool ended() const { return ended_; }
  bool has_left() const { return ended_ && recorder_.has_left(); }  // the other directory is to count; stop it first
  Status stop();        // what the recorder ended with

 private:
  void open_page();
  RecorderLinks links();
  std::function<Result<Json>()> docket();
  Json state() const;

  StationDirectories& directories_;
  FileSystem& files_;
  Clock& clock_;
  Log& log_;
  const IngestSettings& settings_;
  const Enrolment& enrolment_;
  const PrivateKey& key_;
  std::unique_ptr<Uploader> uploader_;  // null: this station is not enrolled yet
  PictureBoard pictures_;
  Recorder recorder_;
  StationPage page_;
  std::unique_ptr<FileLock> lock_;
  http::Server server_{1, 8};
  std::thread thread_;
  std::atomic<bool> ended_{false};
  Status result_ = ok();
};

}  // namespace greffe::ingest

#endif
