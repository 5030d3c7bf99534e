// Verbs of greffe-archive that read the pool beside the running archive, never past the published head.
#ifndef GREFFE_WEB_OFFLINE_VERBS_H
#define GREFFE_WEB_OFFLINE_VERBS_H

#include <string>

#include "archive/settings.h"

namespace greffe::web {

struct OfflineOptions {
  bool json = false;
  bool repair = false;
  std::string hearing;
  std::string directory;
  bool with_witnesses = false;  // of print_policy
};

Result<int> print_policy(const archive::Settings& settings, const OfflineOptions& options);
// Exit 1 when something is wrong; every finding is named. With `repair` the archive must not run.
Result<int> check(const archive::Settings& settings, const OfflineOptions& options);
Result<int> rebuild_catalogue(const archive::Settings& settings, const OfflineOptions& options);
Result<int> export_to_folder(const archive::Settings& settings, const OfflineOptions& options);

}  // namespace greffe::web

#endif
