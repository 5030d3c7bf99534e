// The grade of a copy while somebody works on it: kept in memory, and written to the copy now and then. What a crash loses of it is
// what was read, never what was bad for longer than a save. Thread-safe.
#ifndef GREFFE_REPLICATE_GRADE_BOOK_H
#define GREFFE_REPLICATE_GRADE_BOOK_H

#include <mutex>
#include <string>

#include "archive/base/log.h"
#include "archive/store/object_store.h"
#include "replicate/copy_grade.h"

namespace greffe::replicate {

class GradeBook {
 public:
  // Both must outlive this object.
  GradeBook(Clock& clock, Log& log) : clock_(clock), log_(log) {}

  // Takes up what is stored; what was in memory is forgotten. What is stored and cannot be read begins anew, and that is said.
  Status load(store::HeadStore& heads);
  CopyGrade grade() const;

  void written(std::uint64_t bytes, bool read_back);
  // False: there is no room for another one, and it is not remembered.
  bool found_bad(const Digest& object, const std::optional<HearingId>& hearing, bool is_missing);
  void mended(const Digest& object);
  // The round that goes on, or a new one over so many main-log entries.
  Round round(std::uint64_t main_size);
  void keep_round(const Round& round);  // one that has ended becomes the last

  // Durable when it returns ok. The pool is open for writing, and nobody else's.
  Status save(store::HeadStore& heads);

 private:
  Clock& clock_;
  Log& log_;
  mutable std::mutex mutex_;  // guards what follows
  CopyGrade grade_;
  std::string stored_;        // verbatim; empty: nothing is
  bool changed_ = false;
};

}  // namespace greffe::replicate

#endif
