// One search for hearings over one connection: filters, pages, counts. Used by the read side; one thread at a time.
#ifndef GREFFE_ARCHIVE_CATALOGUE_HEARING_SEARCH_H
#define GREFFE_ARCHIVE_CATALOGUE_HEARING_SEARCH_H

#include "archive/base/result.h"
#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

// As Catalogue::find.
Result<HearingPage> search_hearings(Connection& db, const HearingQuery& query, const CourtSet& courts);

}  // namespace greffe::catalogue

#endif
