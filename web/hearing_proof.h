// What a page needs to check a hearing by itself: entries of the main log with their inclusion proofs, and the documents
// of marks, verbatim.
#ifndef GREFFE_WEB_HEARING_PROOF_H
#define GREFFE_WEB_HEARING_PROOF_H

#include "archive/hearing_logs.h"
#include "archive/held_archives.h"
#include "archive/peers.h"
#include "archive/retrieval.h"

namespace greffe::web {

// What leads from the keys of its first epoch to those of the newest (schema ProvenEpoch), where the main log has `size` entries through all
// epochs; nothing of an archive that was never promoted.
Result<Json::Array> proven_epochs(archive::Stores stores, const archive::HeldArchive& archive, std::uint64_t size);

class HearingProof {
 public:
  HearingProof(archive::Stores stores, archive::HearingLogs& hearings, archive::Retrieval& retrieval, archive::Peers& peers)
      : stores_(stores), hearings_(hearings), retrieval_(retrieval), peers_(peers) {}

  // The chain from the station's signature to the main log's (schema Proof of docs/openapi.yaml).
  Result<Json> of(const archive::FoundHearing& found) const;

  // Sets `index` and `document` of a mark: where its entry is, and the note that the entry names by its digest. A note
  // that is lost is left out.
  Status add_evidence(Json& json, const archive::HeldArchive& archive, const HearingId& id, const catalogue::Mark& mark,
                      const archive::Timeline& timeline) const;

  // Sets `name` to the document of that digest, verbatim; leaves it out when it is lost, here and at the other sites.
  void add_document(Json& json, std::string_view name, const HearingId& id, const Digest& digest) const;
  // The reason's document of the `details` entry at `index` of its main log.
  Status add_reason(Json& json, const archive::HeldArchive& archive, const HearingId& id, std::uint64_t index) const;

 private:
  Result<std::vector<std::string>> cosigned(const archive::HeldArchive& archive) const;

  archive::Stores stores_;
  archive::HearingLogs& hearings_;
  archive::Retrieval& retrieval_;
  archive::Peers& peers_;
};

}  // namespace greffe::web

#endif
