// What the pool of a site that was the archive has and the site that went on as the archive has not: counted from the logs here and the
// checkpoints that the other one answers with. Changes nothing anywhere. A value.
#ifndef GREFFE_REPLICATE_WHAT_RETURNS_H
#define GREFFE_REPLICATE_WHAT_RETURNS_H

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "replicate/log_copier.h"

namespace greffe::replicate {

struct WhatReturns {
  static constexpr std::size_t kMostNamed = 1000;  // keys, and hearings apart: there may be more

  // An order about a key that counts only when people say it again: of an officer, a cosigner, a witness, a replicator, an origin.
  struct Key {
    std::string action, role, name;
  };
  // A hearing of which the other site has something else than is here: nothing of it can come back.
  struct Apart {
    HearingId hearing;
    std::string why;
  };

  std::string origin;      // of the main log that was written here
  std::uint64_t held = 0;  // entries of it there
  std::uint64_t size = 0;  // and here
  std::map<std::string, std::uint64_t> entries;  // of these, behind what is there, by kind
  std::uint64_t hearings = 0;         // of which there is more here
  std::uint64_t hearing_entries = 0;
  std::int64_t recorded_ms = 0;       // of sound and picture that these entries are about, all streams together
  std::uint64_t objects = 0;          // named by all these entries, and not there
  std::uint64_t bytes = 0;            // of those of sound and picture
  std::uint64_t keys_found = 0;
  std::vector<Key> keys;              // the first of them
  std::uint64_t apart_found = 0;
  std::vector<Apart> apart;           // the first of them

  bool is_nothing() const { return held == size && hearings == 0; }
  Json json() const;
  std::string words() const;
};

// `looked`: after each hearing. Time grows with what is behind; memory with the hearings that it names, 16 bytes for each. Errors as
// LogCopier::open_main; unavailable: the other site does not answer. cancelled.
Result<WhatReturns> what_returns(const Sites& sites, const Step& main, const std::function<void()>& looked, const std::stop_token& stop);

}  // namespace greffe::replicate

#endif
