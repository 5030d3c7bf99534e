// The newest small picture of each stream, for the page. Thread-safe.
#ifndef GREFFE_INGEST_PICTURE_BOARD_H
#define GREFFE_INGEST_PICTURE_BOARD_H

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "archive/base/bytes.h"
#include "archive/base/clock.h"

namespace greffe::ingest {

class PictureBoard {
 public:
  explicit PictureBoard(Clock& clock) : clock_(clock) {}  // must outlive it

  void put(const std::string& stream, Bytes jpeg);
  // nullptr: none came for ten seconds. An older one would look as if the camera still saw it.
  std::shared_ptr<const Bytes> get(const std::string& stream) const;

 private:
  struct Picture {
    std::int64_t mono_ms = 0;
    std::shared_ptr<const Bytes> jpeg;
  };
  Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Picture> pictures_;  // guarded by mutex_
};

}  // namespace greffe::ingest

#endif
