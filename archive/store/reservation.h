// Room on one volume, set aside until this object goes.
#ifndef GREFFE_ARCHIVE_STORE_RESERVATION_H
#define GREFFE_ARCHIVE_STORE_RESERVATION_H

#include <utility>

#include "archive/store/volume.h"

namespace greffe::store {

class Reservation {
 public:
  static Result<Reservation> make(Volume& volume, std::uint64_t bytes) {
    GREFFE_TRY(volume.reserve(bytes));
    return Reservation(volume, bytes);
  }
  Reservation(Reservation&& other) noexcept : volume_(std::exchange(other.volume_, nullptr)), bytes_(other.bytes_) {}
  Reservation& operator=(Reservation&&) = delete;
  ~Reservation() {
    if (volume_ != nullptr) volume_->release(bytes_);
  }

 private:
  Reservation(Volume& volume, std::uint64_t bytes) : volume_(&volume), bytes_(bytes) {}
  Volume* volume_;
  std::uint64_t bytes_;
};

}  // namespace greffe::store

#endif
