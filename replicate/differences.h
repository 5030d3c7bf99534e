// Finds what only one of two sites holds, in as many round trips as the tree has levels and a few more when there is much to tell;
// and has the second site prove that it has the bytes. One thread.
#ifndef GREFFE_REPLICATE_DIFFERENCES_H
#define GREFFE_REPLICATE_DIFFERENCES_H

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/store/compared_objects.h"
#include "replicate/compared_site.h"

namespace greffe::replicate {

// What was said: bodies of questions and answers.
struct Traffic {
  std::uint64_t round_trips = 0;
  std::uint64_t bytes = 0;
};

struct Differences {
  static constexpr std::size_t kKept = 100'000;  // of each; beyond it they are counted
  std::vector<ComparedItem> only_here;
  std::vector<Digest> only_there;
  std::uint64_t only_here_count = 0;
  std::uint64_t only_there_count = 0;
  bool none() const { return only_here_count + only_there_count == 0; }
};

// An object of which the second site did not prove that it has the bytes.
struct Unproved {
  ComparedItem item;
  std::string why;
  bool here = false;  // it is this site that cannot read it
};

class ComparedSides {
 public:
  // The second site's comparison `name` is ready, and says that its tree has this root. All outlive this.
  ComparedSides(const store::ComparedObjects& own, ComparedSite& site, std::string name, const Digest& root_there, Traffic& traffic);

  // Every answer is checked against the hash above it: what is found is what the stated root stands for. corrupt: the site contradicts
  // itself. cancelled; invalid: an answer that is none; else what the site returns.
  Result<Differences> find(const std::stop_token& stop);

  // `prove`: as PoolUpkeep::hash_behind. Draws `count` objects at random, asks for each the hash over a nonce that was never used and the
  // bytes, and compares it with the own one. `seen`: after each object.
  using Prove = std::function<Result<Digest>(ByteView prefix, const Digest& digest)>;
  struct Challenged {
    std::uint64_t objects = 0;
    std::vector<Unproved> unproved;
  };
  Result<Challenged> challenge(std::size_t count, const Prove& prove, const std::function<void()>& seen, const std::stop_token& stop);

 private:
  struct Node {
    std::uint32_t index = 0;
    Digest there;
  };
  Result<std::string> ask(client::ComparisonStep step, const std::string& question);
  Result<std::vector<Node>> differing_children(unsigned level, const std::vector<Node>& nodes, const std::stop_token& stop);
  Status compare_leaves(std::span<const Node> leaves, Differences& out, const std::stop_token& stop);
  Status compare_leaf(const Node& leaf, const std::vector<Digest>& there, Differences& out);

  const store::ComparedObjects& own_;
  ComparedSite& site_;
  const std::string name_;
  const Digest root_there_;
  Traffic& traffic_;
};

}  // namespace greffe::replicate

#endif
