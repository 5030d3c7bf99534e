// What a replica knows and does not hold, for people at a terminal.
#ifndef GREFFE_WEB_AHEAD_VERB_H
#define GREFFE_WEB_AHEAD_VERB_H

#include "archive/format/canonical_json.h"
#include "archive/settings.h"
#include "web/offline_verbs.h"

namespace greffe::web {

// Beside the running archive. Exit 0: nothing that was known is damaged.
Result<int> show_ahead(const archive::Settings& settings, const OfflineOptions& options);
// A line for each archive whose copies are held here and of which more is known than held, from an answer to `status`.
void print_ahead(const Json& status);

}  // namespace greffe::web

#endif
