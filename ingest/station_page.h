// The page in the courtroom: what is shown and asked, over a listener for browsers. docs/formats/station-control.md.
#ifndef GREFFE_INGEST_STATION_PAGE_H
#define GREFFE_INGEST_STATION_PAGE_H

#include <functional>
#include <memory>
#include <string>

#include "archive/base/log.h"
#include "ingest/page_access.h"
#include "ingest/picture_board.h"
#include "ingest/settings.h"
#include "web/http/server.h"

namespace greffe::ingest {

// What the page shows and where its questions go. Called by any thread.
struct StationView {
  std::function<Json()> state;              // never blocks
  http::Handler ask;                        // POST …/{verb}
  std::function<Result<Json>()> docket;     // {"rows":[{"line","details"}],"problems":[{"line","column","what"}]}; null: no list
  const PictureBoard* pictures = nullptr;
};

class StationPage {
 public:
  // Everything must outlive it, and it the server.
  StationPage(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, StationView view);
  // With the certificate and the password of now. denied, not_found, invalid: of those files.
  Result<http::ListenerSettings> listener();

 private:
  std::vector<http::Route> routes();
  http::Response state() const;
  http::Response docket() const;
  http::Response picture(const http::Request& request) const;
  http::Response sheet(const http::Request& request) const;

  FileSystem& files_;
  Clock& clock_;
  Log& log_;
  const IngestSettings& settings_;
  const StationView view_;
  std::unique_ptr<PageAccess> access_;
};

}  // namespace greffe::ingest

#endif
