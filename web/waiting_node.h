// A machine of an archive whose pool another one writes to. It tells stations where the writer is, hands on what people ask,
// keeps its catalogue up to date, and tries for the writer's lease until it has it. Then it is done: `serve` goes on as the writer.
#ifndef GREFFE_WEB_WAITING_NODE_H
#define GREFFE_WEB_WAITING_NODE_H

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "archive/archive_keys.h"
#include "archive/base/log.h"
#include "archive/settings.h"
#include "archive/store/whole_pool.h"
#include "web/http/server.h"
#include "web/waiting_pages.h"
#include "web/writer_link.h"

namespace greffe::web {

struct NodeParts {  // all outlive the node
  const archive::Settings& settings;
  const archive::ArchiveKeys& keys;
  FileSystem& files;
  Clock& clock;
  Log& log;
  std::uint64_t epoch;
};

class WaitingNode {
 public:
  // Opens the pool as its writer, or says that another one has the lease (unavailable). Ends with `cancelled` when asked to stop.
  using OpenWriter = std::function<Result<std::unique_ptr<store::WholePool>>(std::stop_token)>;

  // Serves when it returns. `on_turn` is called from a thread of the node, once, when the lease is held. Errors: the pool cannot be
  // read, or a listener's address is taken.
  static Result<std::unique_ptr<WaitingNode>> start(const NodeParts& parts, OpenWriter open_writer, std::function<void()> on_turn);
  ~WaitingNode();  // the listeners are free when it returns

  // After on_turn, once.
  std::unique_ptr<store::WholePool> take_pool() { return std::move(won_); }

 private:
  WaitingNode(const NodeParts& parts, std::unique_ptr<store::WholePool> pool, OpenWriter open_writer, std::function<void()> on_turn);
  Status listen();
  std::vector<http::Route> control_routes();
  std::vector<http::Route> loopback_routes();
  void try_for_turn(std::stop_token stop);
  store::Holding look();
  void follow(std::stop_token stop);
  void say(std::string& last, const std::string& words);

  const NodeParts parts_;
  const std::unique_ptr<store::WholePool> pool_;  // a reader
  const OpenWriter open_writer_;
  const std::function<void()> on_turn_;
  WriterLink writer_;
  WaitingPages pages_;
  std::unique_ptr<store::WholePool> won_;  // written by gr-turn before on_turn
  std::string said_of_writer_;             // of gr-turn: what was logged last, which need not be said again
  std::string said_of_turn_;
  std::string said_of_catalogue_;          // of gr-follow
  http::Server server_;
  std::jthread turn_;      // "gr-turn"
  std::jthread follower_;  // "gr-follow"
};

}  // namespace greffe::web

#endif
