// az group create --name kubeflow --location westeurope
// az deployment group create --resource-group kubeflow --template-file FILE
// Kubeflow 26.03 requests 3.3 CPUs and 8.2 GiB in 52 pods, and 3 volumes with 50 GiB in total; 3 nodes of Standard_D4s_v5 leave 9.6 CPUs and 33.6 GiB for pods
targetScope = 'resourceGroup'

resource cluster 'Microsoft.ContainerService/managedClusters@2026-04-01' = {
  name: 'kf'
  location: 'westeurope'
  sku: {
    name: 'Base'
    tier: 'Free'
  }
  tags: {
    'created-by': 'kubectl-kubeflow'
    'kubectl-kubeflow-options': 'e9be488d5efb90e5'
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    aadProfile: {
      enableAzureRBAC: true
      managed: true
    }
    agentPoolProfiles: [
      {
        count: 3
        enableAutoScaling: false
        enableNodePublicIP: false
        mode: 'System'
        name: 'system'
        orchestratorVersion: '1.35'
        osSKU: 'Ubuntu'
        osType: 'Linux'
        type: 'VirtualMachineScaleSets'
        upgradeSettings: {
          maxSurge: '10%'
        }
        vmSize: 'Standard_D4s_v5'
      }
      {
        count: 1
        enableAutoScaling: false
        enableNodePublicIP: false
        gpuProfile: {
          driver: 'Install'
        }
        mode: 'User'
        name: 'gpu'
        nodeTaints: [
          'sku=gpu:NoSchedule'
        ]
        orchestratorVersion: '1.35'
        osSKU: 'Ubuntu'
        osType: 'Linux'
        type: 'VirtualMachineScaleSets'
        upgradeSettings: {
          maxSurge: '10%'
        }
        vmSize: 'Standard_NC4as_T4_v3'
      }
    ]
    autoUpgradeProfile: {
      nodeOSUpgradeChannel: 'NodeImage'
      upgradeChannel: 'none'
    }
    dnsPrefix: 'kf-kubeflow-123456'
    enableRBAC: true
    kubernetesVersion: '1.35'
    networkProfile: {
      dnsServiceIP: '10.0.0.10'
      loadBalancerSku: 'standard'
      networkDataplane: 'cilium'
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkPolicy: 'cilium'
      outboundType: 'loadBalancer'
      podCidr: '10.244.0.0/16'
      serviceCidr: '10.0.0.0/16'
    }
    oidcIssuerProfile: {
      enabled: true
    }
    securityProfile: {
      workloadIdentity: {
        enabled: true
      }
    }
  }
}

resource maintenance 'Microsoft.ContainerService/managedClusters/maintenanceConfigurations@2026-04-01' = {
  parent: cluster
  name: 'aksManagedNodeOSUpgradeSchedule'
  properties: {
    maintenanceWindow: {
      durationHours: 8
      schedule: {
        weekly: {
          dayOfWeek: 'Sunday'
          intervalWeeks: 1
        }
      }
      startTime: '00:00'
      utcOffset: '+00:00'
    }
  }
}

// AKS installs the driver of GPUs, and not NVIDIA's device plugin. After the deployment:
// kubectl kubeflow cluster credentials kf -g kubeflow
// kubectl kubeflow cluster gpu-plugin
