// The pages' API on a machine that waits for its turn: every request is answered by the machine that writes, but the bytes of
// recordings, which come from the pool by this machine's own way once the writer has said that this person may have them
// (and has logged it). Thread-safe.
#ifndef GREFFE_WEB_WAITING_PAGES_H
#define GREFFE_WEB_WAITING_PAGES_H

#include <string>
#include <vector>

#include "archive/store/object_store.h"
#include "web/http/server.h"
#include "web/open_objects.h"
#include "web/writer_link.h"

namespace greffe::web {

class WaitingPages {
 public:
  // All must outlive this.
  WaitingPages(Clock& clock, store::ObjectStore& objects, WriterLink& writer) : objects_(objects), writer_(writer), open_objects_(clock) {}
  std::vector<http::Route> routes();

 private:
  http::Response forward(const http::Request& request);
  // `name`: the last part of the address, as PlaybackRoutes takes it.
  http::Response object(const http::Request& request, const std::string& name);

  store::ObjectStore& objects_;
  WriterLink& writer_;
  OpenObjects open_objects_;
};

}  // namespace greffe::web

#endif
