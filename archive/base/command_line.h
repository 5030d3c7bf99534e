// The command line of a program: verbs with options, help, version, completion, manual page. Exit 0 done, 1 found something wrong,
// 2 cannot run. One thread.
#ifndef GREFFE_ARCHIVE_BASE_COMMAND_LINE_H
#define GREFFE_ARCHIVE_BASE_COMMAND_LINE_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "archive/base/result.h"

namespace greffe {

constexpr int kExitDone = 0;
constexpr int kExitFound = 1;      // it ran, and found something wrong
constexpr int kExitCannotRun = 2;  // bad arguments, no configuration, no access

// What a verb returns: the exit code, or an Error that is printed as "<program>: <message>" and ends with exit 2
// (exit 1 for Errc::corrupt).
using VerbBody = std::function<Result<int>()>;

// One verb ("import", or "station" with the verbs "add" and "list" below it). The values must outlive run().
class Verb {
 public:
  // `name` is "--stream", or "FILE" for a positional argument. `value_name` stands in the help: "NAME=FILE".
  Verb& option(const std::string& name, std::string& value, const std::string& help, const std::string& value_name = "");
  Verb& option(const std::string& name, std::vector<std::string>& values, const std::string& help,
               const std::string& value_name = "");
  Verb& option(const std::string& name, std::int64_t& value, const std::string& help, const std::string& value_name = "");
  Verb& required(const std::string& name, std::string& value, const std::string& help, const std::string& value_name = "");
  Verb& required(const std::string& name, std::vector<std::string>& values, const std::string& help,
                 const std::string& value_name = "");
  Verb& flag(const std::string& name, bool& value, const std::string& help);
  Verb& json(bool& value);  // the flag --json, with the one help text
  Verb& body(VerbBody body);
  Verb& verb(const std::string& name, const std::string& help);  // a verb below this one

  struct State;
  explicit Verb(std::shared_ptr<State> state);

 private:
  std::shared_ptr<State> state_;
};

class CommandLine {
 public:
  CommandLine(std::string program, std::string description);
  ~CommandLine();
  Verb& verb(const std::string& name, const std::string& help);
  Verb& root();  // for a program without verbs; also takes options common to all verbs, given before the verb
  // Parses and runs the chosen verb. An argument that looks like a secret option (--password…) is refused: secrets
  // come from files. `--completion bash` and `--manual` print a completion script and a manual page made from the same table.
  int run(int count, char** arguments);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe

#endif
