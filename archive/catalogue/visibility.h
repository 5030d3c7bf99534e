// Who may see a hearing: the people of its court, and those of courts with which it is shared. Judged at the moment of the question: what
// is shared until a time ends then, without an entry.
#ifndef GREFFE_ARCHIVE_CATALOGUE_VISIBILITY_H
#define GREFFE_ARCHIVE_CATALOGUE_VISIBILITY_H

#include <cstdint>
#include <optional>
#include <string_view>

#include "archive/base/result.h"
#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

struct Seen {
  std::optional<SharedWith> shared;  // none: by a right of their own
};
// Whether these courts see the hearing `row`, which is one of `court`. Nothing: they do not.
Result<std::optional<Seen>> seen(Connection& db, const CourtSet& courts, std::int64_t row, std::string_view court);
// Whether a share of this hearing has ended by its time: the text index still finds it for the court that had it.
Result<bool> has_lapsed_share(Connection& db, std::int64_t row, UtcTime now);

}  // namespace greffe::catalogue

#endif
