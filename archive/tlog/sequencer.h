// The main log: one thread ("gr-seq") takes entries from any thread, batches them, signs and publishes.
#ifndef GREFFE_ARCHIVE_TLOG_SEQUENCER_H
#define GREFFE_ARCHIVE_TLOG_SEQUENCER_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "archive/format/ed25519.h"
#include "archive/format/signed_note.h"
#include "archive/tlog/log_writer.h"

namespace greffe::tlog {

struct Committed {  // one batch, as it was published
  std::uint64_t first = 0;
  std::vector<std::string> entries;
  SignedCheckpoint checkpoint;
};

class Sequencer {
 public:
  // `after_commit` is called on the sequencer's thread, in order, after publishing and before append() returns.
  Sequencer(LogWriter writer, std::string origin, PrivateKey key, std::function<void(const Committed&)> after_commit);
  ~Sequencer();  // finishes what is queued, then stops the thread

  // Blocks until the entry is durable, signed and published; its index. invalid: empty or over 65,535 bytes.
  // unavailable: the store refused; nothing was signed. A signature whose publication has an unknown outcome aborts
  // the process: start-up recovery decides. Any thread.
  Result<std::uint64_t> append(std::string entry);
  Result<std::uint64_t> append(std::vector<std::string> entries);  // one batch, in order; index of the first

  SignedCheckpoint head() const;  // any thread

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe::tlog

#endif
