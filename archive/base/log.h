// The program's own log: one line an event on standard error, which systemd keeps. Never evidence, never a secret,
// never the name of a party. Thread-safe.
#ifndef GREFFE_ARCHIVE_BASE_LOG_H
#define GREFFE_ARCHIVE_BASE_LOG_H

#include <memory>
#include <string>
#include <string_view>

namespace greffe {

class Log {
 public:
  explicit Log(std::string program);
  ~Log();
  void info(std::string_view message);
  void warn(std::string_view message);   // an operator should look when there is time
  void error(std::string_view message);  // an operator must act; says what, where, and what to do

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The name of the calling thread as the system's tools show it; at most 15 characters.
void name_thread(const char* name);
// The calling thread works with what others leave: idle priority for the disk, the lowest for the processor. A hint.
void give_way();

}  // namespace greffe

#endif
