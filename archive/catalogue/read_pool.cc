#include "archive/catalogue/read_pool.h"

#include "archive/catalogue/schema.h"
#include "archive/catalogue/tokenizer.h"

namespace greffe::catalogue {

Result<std::unique_ptr<Connection>> ReadPool::connect() const {
  auto db = std::make_unique<Connection>(GREFFE_TRY(Connection::open(path_, Connection::Mode::read, false)));
  const std::int64_t version = GREFFE_TRY(db->version());
  if (version != kSchemaVersion) {
    return fail(Errc::corrupt, path_ + ": not a catalogue of version " + std::to_string(kSchemaVersion) +
                                   ": rebuild it");
  }
  GREFFE_TRY(register_tokenizer(*db));
  return db;
}

Result<ReadPool::Loan> ReadPool::borrow() {
  std::unique_ptr<Connection> db;
  std::uint64_t generation = 0;
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return free_ > 0; });
    --free_;
    generation = generation_;
    if (!idle_.empty()) {
      db = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  Status status = ok();
  if (db == nullptr) {
    auto connected = connect();
    if (connected) {
      db = *std::move(connected);
    } else {
      status = std::move(connected).error();
    }
  }
  if (status) status = db->run("BEGIN");
  if (!status) {
    give_back(nullptr, generation);
    return std::move(status).error();
  }
  return Loan(*this, std::move(db), generation);
}

ReadPool::Loan::~Loan() {
  if (db_ == nullptr) return;
  // A connection that cannot end its transaction is of no more use.
  if (!db_->run("ROLLBACK")) db_.reset();
  pool_.give_back(std::move(db_), generation_);
}

void ReadPool::give_back(std::unique_ptr<Connection> db, std::uint64_t generation) {
  {
    const std::lock_guard lock(mutex_);
    ++free_;
    if (db != nullptr && generation == generation_) idle_.push_back(std::move(db));
  }
  returned_.notify_one();  // a connection of an older generation is closed here, outside the lock
}

void ReadPool::reopen() {
  std::vector<std::unique_ptr<Connection>> old;
  const std::lock_guard lock(mutex_);
  ++generation_;
  old.swap(idle_);
}

}  // namespace greffe::catalogue
