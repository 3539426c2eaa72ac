{{- /* The Job that starts a run. It asks the API server for what a run needs, certificates included, and ends as soon
       as the run measures. */ -}}
{{- define "netplan.name" -}}
{{ .Release.Name | trunc 44 | trimSuffix "-" }}
{{- end }}

{{- define "netplan.account" -}}
{{ .Values.serviceAccount.name | default (include "netplan.name" .) }}
{{- end }}

{{- define "netplan.labels" -}}
app.kubernetes.io/name: netplan-chart
app.kubernetes.io/instance: {{ .Release.Name | toJson }}
app.kubernetes.io/version: {{ .Chart.AppVersion | toJson }}
app.kubernetes.io/managed-by: {{ .Release.Service | toJson }}
{{- end }}

{{- /* Another name after each change: the pod template of a Job cannot change. */ -}}
{{- define "netplan.job" -}}
{{- $templates := (.Files.Glob "files/templates/*").AsConfig -}}
{{- $all := print (.Files.Get "files/plan.yaml") $templates (.Values | toJson) .Chart.AppVersion -}}
{{ include "netplan.name" . }}-{{ $all | sha256sum | trunc 8 }}
{{- end }}

{{- define "netplan.launcher" -}}
backoffLimit: 3
template:
  metadata:
    labels:
      {{- include "netplan.labels" . | nindent 6 }}
      {{- with .Values.launcher.labels }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    annotations: {{ .Values.launcher.annotations | toJson }}
  spec:
    restartPolicy: Never
    serviceAccountName: {{ include "netplan.account" . }}
    automountServiceAccountToken: true
    enableServiceLinks: false
    imagePullSecrets: {{ .Values.imagePullSecrets | toJson }}
    nodeSelector: {{ .Values.launcher.nodeSelector | toJson }}
    tolerations: {{ .Values.launcher.tolerations | toJson }}
    securityContext: {{ .Values.launcher.securityContext | toJson }}
    containers:
      - name: launcher
        image: {{ .Values.image | toJson }}
        imagePullPolicy: {{ .Values.imagePullPolicy | toJson }}
        command:
          - netplan
          - run
          - /run/netplan/plan/values.yaml
          - --on=kubernetes
          - --namespace=$(NETPLAN_NAMESPACE)
          - --owner=$(NETPLAN_JOB)
          - --detach
          - --yes
          {{- if .Values.schedule }}
          - --wait
          {{- end }}
          {{- if .Files.Glob "files/templates/*" }}
          - --templates=/run/netplan/plan
          {{- end }}
          {{- range .Values.options }}
          - {{ . | toJson }}
          {{- end }}
        env:
          - name: NETPLAN_NAMESPACE
            valueFrom:
              fieldRef:
                fieldPath: metadata.namespace
          - name: NETPLAN_JOB
            valueFrom:
              fieldRef:
                fieldPath: metadata.labels['job-name']
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
        resources: {{ .Values.launcher.resources | toJson }}
        volumeMounts:
          - {name: plan, mountPath: /run/netplan/plan, readOnly: true}
    volumes:
      - name: plan
        configMap:
          name: {{ include "netplan.name" . }}
{{- end }}
