// A few read connections to one catalogue file, lent out one question at a time. Thread-safe.
#ifndef GREFFE_ARCHIVE_CATALOGUE_READ_POOL_H
#define GREFFE_ARCHIVE_CATALOGUE_READ_POOL_H

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "archive/base/result.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

class ReadPool {
 public:
  ReadPool(std::string path, unsigned connections) : path_(std::move(path)), free_(connections) {}

  // A connection on loan; goes back when destroyed. One read transaction: everything read through it is of one state.
  class Loan {
   public:
    Loan(Loan&&) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan();
    Connection& operator*() const { return *db_; }

   private:
    friend class ReadPool;
    Loan(ReadPool& pool, std::unique_ptr<Connection> db, std::uint64_t generation)
        : pool_(pool), db_(std::move(db)), generation_(generation) {}
    ReadPool& pool_;
    std::unique_ptr<Connection> db_;
    std::uint64_t generation_;
  };

  // Waits until one is free. not_found, corrupt, io_error.
  Result<Loan> borrow();
  void reopen();

 private:
  Result<std::unique_ptr<Connection>> connect() const;
  void give_back(std::unique_ptr<Connection> db, std::uint64_t generation);

  const std::string path_;
  std::mutex mutex_;
  std::condition_variable returned_;
  unsigned free_;                                   // mutex_: how many more may be lent
  std::uint64_t generation_ = 0;                    // mutex_: counts reopen()
  std::vector<std::unique_ptr<Connection>> idle_;   // mutex_
};

}  // namespace greffe::catalogue

#endif
