// What a live source had ready before anybody could wait for it: libav keeps what it has read to find out what the source
// is, and some cameras begin with what they have kept. All of it comes at once, which says nothing of when it was captured.
// The first packet that had to be waited for does; those before it are dated by their distance from it. A value; the
// caller gives the clock.
#ifndef GREFFE_INGEST_BACKLOG_H
#define GREFFE_INGEST_BACKLOG_H

#include <vector>

#include "ingest/libav_owners.h"

namespace greffe::ingest {

class Backlog {
 public:
  struct Arrival {
    PacketPtr packet;
    std::int64_t mono_us;  // when it came, or would have come if it had been sent when it was captured
  };
  // `asked_us`: when reading it began, `came_us`: when it was there. Answers what can be dated now, in order: nothing
  // while the backlog lasts, then all of it, then each packet as it comes.
  std::vector<Arrival> add(PacketPtr packet, AVRational time_base, std::int64_t asked_us, std::int64_t came_us);
  // The same for what is left when the source ends.
  std::vector<Arrival> rest(AVRational time_base, std::int64_t now_us);

 private:
  bool over_ = false;
  std::size_t bytes_ = 0;
  std::vector<PacketPtr> waiting_;
};

}  // namespace greffe::ingest

#endif
