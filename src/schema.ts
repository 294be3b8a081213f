import type { Schema } from './database/data-source-options.js';
import { CreateApiKey1767225600000 } from '../migrations/1767225600000-CreateApiKey.js';
import { AddBatchControl1796003000000 } from '../migrations/1796003000000-AddBatchControl.js';
import { AddBatchDuplicates1796003100000 } from '../migrations/1796003100000-AddBatchDuplicates.js';
import { AddBatchAllowance1796003200000 } from '../migrations/1796003200000-AddBatchAllowance.js';
import { AddTaskRanks1796005000000 } from '../migrations/1796005000000-AddTaskRanks.js';
import { AddBatchApi1796000000000 } from '../migrations/1796000000000-AddBatchApi.js';
import { CreateStoredFile1796001000000 } from '../migrations/1796001000000-CreateStoredFile.js';
import { CreateConsoleSession1796006000000 } from '../migrations/1796006000000-CreateConsoleSession.js';
import { AddBatchOutput1796010000000 } from '../migrations/1796010000000-AddBatchOutput.js';
import { CreateConsoleUser1796007000000 } from '../migrations/1796007000000-CreateConsoleUser.js';
import { CreateConfigurationChange1796009000000 } from '../migrations/1796009000000-CreateConfigurationChange.js';
import { CreateDeploymentDrain1796012000000 } from '../migrations/1796012000000-CreateDeploymentDrain.js';
import { IndexUsageSums1796013000000 } from '../migrations/1796013000000-IndexUsageSums.js';
import { DeploymentDrain } from './routing/deployments/deployment-drain.entity.js';
import { ConfigurationChange } from './admin/configuration/configuration-change.entity.js';
import { ConsoleUser } from './auth/users/console-user.entity.js';
import { CreateFileBatch1796001001000 } from '../migrations/1796001001000-CreateFileBatch.js';
import { AddBatchPricing1796002000000 } from '../migrations/1796002000000-AddBatchPricing.js';
import { CreateBatch1769817600000 } from '../migrations/1769817600000-CreateBatch.js';
import { AddUsageAndLimits1772409600000 } from '../migrations/1772409600000-AddUsageAndLimits.js';
import { CreateRequestLog1772582400000 } from '../migrations/1772582400000-CreateRequestLog.js';
import { AddBatchLanes1772720000000 } from '../migrations/1772720000000-AddBatchLanes.js';
import { AddBatchPause1772780000000 } from '../migrations/1772780000000-AddBatchPause.js';
import { CreateGatewayInstance1772770000000 } from '../migrations/1772770000000-CreateGatewayInstance.js';
import { AddPepperRotation1772801000000 } from '../migrations/1772801000000-AddPepperRotation.js';
import { AddBudgetAdjustment1772802000000 } from '../migrations/1772802000000-AddBudgetAdjustment.js';
import { CreateFormerOwner1772803000000 } from '../migrations/1772803000000-CreateFormerOwner.js';
import { AddAlertDeliveries1772804000000 } from '../migrations/1772804000000-AddAlertDeliveries.js';
import { IndexUnfinishedJobs1772810000000 } from '../migrations/1772810000000-IndexUnfinishedJobs.js';
import { AddReasoningModel1772851000000 } from '../migrations/1772851000000-AddReasoningModel.js';
import { AddSessionsAndCacheWrites1772850000000 } from '../migrations/1772850000000-AddSessionsAndCacheWrites.js';
import { GatewayInstance } from './admin/instances/gateway-instance.entity.js';
import { AuditEntry } from './audit/audit-entry.entity.js';
import { CreateStoredResponse1772830000000 } from '../migrations/1772830000000-CreateStoredResponse.js';
import { AddResponseHeartbeat1772860000000 } from '../migrations/1772860000000-AddResponseHeartbeat.js';
import { CreateResponseEvent1795802000000 } from '../migrations/1795802000000-CreateResponseEvent.js';
import { AddBatchHeaders1795801000000 } from '../migrations/1795801000000-AddBatchHeaders.js';
import { AddWireFormatAndTier1795800000000 } from '../migrations/1795800000000-AddWireFormatAndTier.js';
import { AddFallbackRules1795850000000 } from '../migrations/1795850000000-AddFallbackRules.js';
import { AddTaskDialect1772840000000 } from '../migrations/1772840000000-AddTaskDialect.js';
import { AddOperation1772820000000 } from '../migrations/1772820000000-AddOperation.js';
import { AddKeyParent1772740000000 } from '../migrations/1772740000000-AddKeyParent.js';
import { IndexWebhooksByKey1772730000000 } from '../migrations/1772730000000-IndexWebhooksByKey.js';
import { AddUsageCostBasis1772700000000 } from '../migrations/1772700000000-AddUsageCostBasis.js';
import { ConsoleSession } from './auth/sessions/console-session.entity.js';
import { ApiKey } from './auth/api-key.entity.js';
import { FormerOwner } from './auth/former-owner.entity.js';
import { KeyPepperHolder } from './auth/key-pepper-holder.entity.js';
import { KeyGroup } from './auth/key-group.entity.js';
import { BatchJob } from './batch/batch-job.entity.js';
import { BatchClaim, BatchLane, BatchRequeue } from './batch/batch-lane.entity.js';
import { BatchPart } from './batch/native/batch-part.entity.js';
import { BatchOutput, BatchOutputPart } from './batch/output/batch-output.entity.js';
import { BatchTask } from './batch/batch-task.entity.js';
import { FileBatch } from './batch/file-batches/file-batch.entity.js';
import { CreateFileUpload1796001002000 } from '../migrations/1796001002000-CreateFileUpload.js';
import { FileUpload, FileUploadPart } from './files/uploads/file-upload.entity.js';
import { StoredFile } from './files/stored-file.entity.js';
import { BatchEnqueued, BatchRate, BatchShare } from './batch/control/batch-control.entity.js';
import { BudgetAlert } from './limits/budget-alert.entity.js';
import { UsageRecord } from './usage/records/usage-record.entity.js';
import { RequestLogEntry } from './request-log/request-log.entity.js';
import { ReasoningOrigin, StoredResponse, StoredResponseEvent } from './responses/stored-response.entity.js';
import { GatewaySetting } from './database/gateway-setting.entity.js';

/** Listed by class, so that no folder has to be searched for files. */
const ENTITIES = [
  ApiKey,
  AuditEntry,
  BatchClaim,
  BatchEnqueued,
  BatchJob,
  BatchLane,
  BatchOutput,
  BatchOutputPart,
  BatchRate,
  BatchRequeue,
  BatchShare,
  BatchTask,
  BatchPart,
  BudgetAlert,
  FileBatch,
  FileUpload,
  FileUploadPart,
  ConfigurationChange,
  ConsoleSession,
  ConsoleUser,
  DeploymentDrain,
  FormerOwner,
  GatewayInstance,
  GatewaySetting,
  KeyGroup,
  KeyPepperHolder,
  ReasoningOrigin,
  RequestLogEntry,
  StoredFile,
  StoredResponse,
  StoredResponseEvent,
  UsageRecord,
];
/** In the order of their timestamps, in which they run. Append only. */
const MIGRATIONS = [
  CreateApiKey1767225600000,
  CreateBatch1769817600000,
  AddUsageAndLimits1772409600000,
  CreateRequestLog1772582400000,
  AddUsageCostBasis1772700000000,
  AddBatchLanes1772720000000,
  IndexWebhooksByKey1772730000000,
  AddKeyParent1772740000000,
  CreateGatewayInstance1772770000000,
  AddBatchPause1772780000000,
  AddPepperRotation1772801000000,
  AddBudgetAdjustment1772802000000,
  CreateFormerOwner1772803000000,
  AddAlertDeliveries1772804000000,
  IndexUnfinishedJobs1772810000000,
  AddOperation1772820000000,
  CreateStoredResponse1772830000000,
  AddTaskDialect1772840000000,
  AddSessionsAndCacheWrites1772850000000,
  AddReasoningModel1772851000000,
  AddResponseHeartbeat1772860000000,
  AddWireFormatAndTier1795800000000,
  AddBatchHeaders1795801000000,
  CreateResponseEvent1795802000000,
  AddFallbackRules1795850000000,
  AddBatchApi1796000000000,
  CreateStoredFile1796001000000,
  CreateFileBatch1796001001000,
  CreateFileUpload1796001002000,
  AddBatchPricing1796002000000,
  AddBatchControl1796003000000,
  AddBatchDuplicates1796003100000,
  AddBatchAllowance1796003200000,
  AddTaskRanks1796005000000,
  CreateConsoleSession1796006000000,
  CreateConsoleUser1796007000000,
  CreateConfigurationChange1796009000000,
  AddBatchOutput1796010000000,
  CreateDeploymentDrain1796012000000,
  IndexUsageSums1796013000000,
];

/** All tables of the application and their migrations. */
export const SCHEMA: Schema = { entities: ENTITIES, migrations: MIGRATIONS };
