// The configuration of greffe-archive, one struct, as `init` writes it and docs/OPERATIONS.md explains it.
#ifndef GREFFE_ARCHIVE_SETTINGS_H
#define GREFFE_ARCHIVE_SETTINGS_H

#include <cstdint>
#include <string>
#include <vector>

#include "archive/base/config.h"
#include "archive/base/file_system.h"
#include "archive/format/promotion.h"
#include "archive/store/open_pool.h"

namespace greffe::archive {

struct Settings {
  std::string name;              // the archive's name = origin of its main log in the first epoch
  std::uint64_t epoch = 1;       // written by `promote`, never by hand
  std::string role;              // "primary" or "replica"
  std::string state_directory;   // keys, guard, accounts, catalogue, enrolments: not in the pool
  store::PoolPlace pool;
  std::int64_t scrub_period_s = 90LL * 24 * 3600;       // every replica on volumes is read at least once in this time
  std::int64_t scrub_bytes_per_second = 50'000'000;     // that the scrub reads at most, from all volumes together
  std::int64_t commit_interval_s = 30;  // at most one main-log entry per hearing in this time
  std::int64_t station_unfiled_bytes = 0;       // of each station: sent, and named by no entry yet, at most
  std::int64_t rebalance_bytes_per_second = 0;  // of what is moved to make room on volumes, at most; 0: as fast as it goes
  std::int64_t alarm_after_s = 300;     // at a replica an archive that was not heard of for so long is an alarm; anywhere, a witness
  std::int64_t witness_hold_s = 600;    // after a start, at most, nothing is signed while a witness contradicts the log without a proof
  std::int64_t drill_every_s = 7LL * 24 * 3600;        // at a replica: from one drill of a copy to the next; 0: only when a person asks
  std::int64_t drill_bytes_per_second = 50'000'000;  // that a drill reads of objects, at most; 0: as fast as it goes
  std::string media_checker;     // the program that a drill decodes with: greffe-ingest; empty: the one beside this program
  std::string machine_address;   // "127.0.0.1:8444": stations and replicators
  std::string machine_url;       // what stations are told to call: "https://archive.court.example:8444"
  std::vector<std::string> nodes;  // machine_url of every machine of this archive, where several stand before one remote pool; else empty
  std::string browser_address;   // "127.0.0.1:8443"
  std::string pages_url;         // where the other nodes reach that: "https://archive-1.court.example:8443"
  std::string tls_certificate;   // of the browser listener; paths; empty: a self-signed one from the state directory
  std::string tls_key;
  std::string witness_address;   // "0.0.0.0:8445": where other archives ask this one as their witness; empty: nowhere
  std::string metrics_address;   // loopback; empty: none
  std::string control_socket;    // unix socket of the verbs that change a running service
  std::string ui_directory;      // the built pages
};

// The main log that this archive writes is one of its epochs; its key is named so.
inline std::string origin_of(const Settings& settings) { return epoch_origin({settings.name, settings.epoch}); }

// invalid with file, line and key.
Result<Settings> load_settings(FileSystem& files, const std::string& path);

}  // namespace greffe::archive

#endif
